//! The metrics at `/metrics`: gauges read from the database on each request, and counters of this process.

use certvakt_base::clock::Clock;
use certvakt_engine::config::{ChannelName, Config};
use certvakt_engine::expiry::schedule::{self, RunProblem};
use certvakt_store::partner::{self, PartnerStatus, ProblemKind};
use certvakt_store::{Database, StoreError, organisation, renewal, report};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The process's metrics.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    clock: Clock,
    config: Config,
}

impl Metrics {
    /// Installs the recorder of this process.
    pub fn install(clock: Clock, config: Config) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // It fails only if this function has already installed a recorder.
        let _ = metrics::set_global_recorder(recorder);
        describe_gauges();
        describe_counters();
        // Create the counters at zero, because an alert cannot distinguish a missing metric from none.
        counter!("certvakt_access_events_lost_total").increment(0);
        counter!("certvakt_link_requests_dropped_total").increment(0);
        Self { handle, clock, config }
    }

    /// The metrics in Prometheus's text format.
    pub async fn render(&self, database: &Database) -> Result<String, StoreError> {
        let now = self.clock.now();
        let mut tx = database.worker().await?;
        let organisations = organisation::list(&mut tx).await?;
        let queue = report::queue(&mut tx, &organisations).await?;
        for (state, number) in
            [("pending", queue.pending), ("claimed", queue.claimed), ("unreachable", queue.unreachable)]
        {
            gauge!("certvakt_queue_deliveries", "state" => state).set(as_f64(number));
        }
        gauge!("certvakt_queue_oldest_seconds").set(as_f64(queue.oldest_seconds));
        let stops = report::channel_stops(&mut tx).await?;
        for channel in ChannelName::ALL {
            let stopped = stops.iter().any(|stop| stop.channel == channel.as_str());
            gauge!("certvakt_channel_stopped", "channel" => channel.as_str())
                .set(f64::from(u8::from(stopped)));
        }
        let long = renewal::long_histories(&mut tx).await?;
        for organisation in &organisations {
            let number =
                long.iter().find(|(slug, _)| *slug == organisation.slug).map_or(0, |(_, number)| *number);
            gauge!("certvakt_long_histories", "organisation" => organisation.slug.clone())
                .set(as_f64(number));
        }
        for one in partner::with_status(&mut tx).await? {
            show_partner(&one);
        }
        let statuses = report::runs(&mut tx).await?;
        for organisation in organisations {
            let status = statuses.iter().find(|status| status.organisation_id == organisation.id);
            let late_after = self.config.serve.late_after_minutes;
            let problems = schedule::problems(&organisation, status, now, late_after);
            let slug = organisation.slug;
            let flag = |name: &'static str, value: bool| {
                gauge!(name, "organisation" => slug.clone()).set(f64::from(u8::from(value)));
            };
            flag("certvakt_run_late", problems.contains(&RunProblem::Late));
            flag("certvakt_run_held", problems.contains(&RunProblem::Held));
            flag("certvakt_run_failed", problems.contains(&RunProblem::Failed));
            if let Some(finished_at) = status.and_then(|status| status.finished_at) {
                gauge!("certvakt_run_last_complete_timestamp_seconds", "organisation" => slug.clone())
                    .set(as_f64(finished_at.timestamp()));
            }
        }
        Ok(self.handle.render())
    }
}

fn describe_gauges() {
    describe_gauge!("certvakt_queue_deliveries", "Open deliveries, by state");
    describe_gauge!(
        "certvakt_queue_oldest_seconds",
        "Seconds for which the oldest open delivery could have been sent, within its organisation's hours"
    );
    describe_gauge!(
        "certvakt_channel_stopped",
        "1 while a channel has stopped, for all or for one organisation"
    );
    describe_gauge!("certvakt_run_late", "1 while an organisation's run is late");
    describe_gauge!("certvakt_run_held", "1 while an organisation's run is held");
    describe_gauge!("certvakt_run_failed", "1 while the last run of an organisation failed");
    describe_gauge!(
        "certvakt_run_last_complete_timestamp_seconds",
        "Time at which an organisation's last complete run ended"
    );
    describe_gauge!(
        "certvakt_long_histories",
        "Certifications whose histories have more entries than the limit for long histories"
    );
    describe_gauge!(
        "certvakt_partner_problem",
        "1 while a partner has a problem that needs a person, by problem"
    );
    describe_gauge!("certvakt_partner_stopped", "1 while sending to a partner has stopped");
    describe_gauge!(
        "certvakt_partner_waiting",
        "Mentors whose changes wait to be sent to a partner, by kind"
    );
    describe_gauge!(
        "certvakt_partner_oldest_removal_seconds",
        "Age of the oldest removal that a partner's listing does not show yet"
    );
    describe_gauge!(
        "certvakt_partner_listing_wrong",
        "Mentors whom a partner's listing shows wrongly, by kind"
    );
    describe_gauge!(
        "certvakt_partner_credential_days",
        "Days until the credential for a partner expires; negative once expired"
    );
    describe_gauge!(
        "certvakt_partner_concurrency",
        "Concurrent requests that this process makes to a partner, reduced after the partner limited them"
    );
    describe_gauge!(
        "certvakt_partner_reports_waiting",
        "Reports of completed courses that wait for a decision"
    );
    describe_gauge!("certvakt_partner_reports_unread", "1 while a partner's reports cannot be read");
    describe_gauge!("certvakt_partner_listing_unread", "1 while a partner's listing cannot be read");
}

fn describe_counters() {
    describe_counter!(
        "certvakt_partner_reports_not_signed_total",
        "Reports to this process without a valid signature of the partner"
    );
    describe_counter!("certvakt_partner_requests_total", "Requests of this process to partners, by outcome");
    describe_counter!("certvakt_partner_stops_total", "Times that sending to a partner stopped, by reason");
    describe_counter!("certvakt_deliveries_total", "Deliveries ended by this process, by outcome");
    describe_counter!(
        "certvakt_mails_total",
        "E-mails other than notices that this process tried to send, by outcome"
    );
    describe_counter!(
        "certvakt_link_requests_dropped_total",
        "Requests for sign-in links that were dropped, because there were too many or the database was unavailable"
    );
    describe_counter!("certvakt_connections_over_limit_total", "Connections beyond a limit, by limit");
    describe_counter!(
        "certvakt_connections_idle_closed_total",
        "Connections closed because no request arrived in time"
    );
    describe_counter!("certvakt_notices_recorded_total", "Notices recorded by this process");
    describe_counter!(
        "certvakt_requests_refused_total",
        "Requests that this process refused because of a limit, by code"
    );
    describe_counter!("certvakt_access_events_total", "Requests of people that the access log recorded");
    describe_counter!(
        "certvakt_access_events_lost_total",
        "Events of the access log that were lost because its buffer was full"
    );
}

fn show_partner(one: &PartnerStatus) {
    let PartnerStatus { partner, mentors, .. } = one;
    let of = || [("organisation", partner.organisation.clone()), ("partner", partner.partner.clone())];
    let flag = |kind| f64::from(u8::from(one.has(kind)));
    for kind in ProblemKind::ALL {
        let labels: Vec<_> = of().into_iter().chain([("problem", kind.as_str().to_owned())]).collect();
        gauge!("certvakt_partner_problem", &labels).set(flag(kind));
    }
    gauge!("certvakt_partner_stopped", &of()).set(flag(ProblemKind::Stopped));
    gauge!("certvakt_partner_credential_days", &of())
        .set(partner.secret_days_left().map_or(f64::NAN, as_f64));
    gauge!("certvakt_partner_reports_waiting", &of()).set(as_f64(mentors.reports_waiting));
    gauge!("certvakt_partner_reports_unread", &of()).set(flag(ProblemKind::ReportsUnread));
    gauge!("certvakt_partner_listing_unread", &of()).set(flag(ProblemKind::ListingUnread));
    gauge!("certvakt_partner_oldest_removal_seconds", &of()).set(as_f64(mentors.oldest_removal_seconds));
    let by = |what: &'static str| of().into_iter().chain([("what", what.to_owned())]).collect::<Vec<_>>();
    for (what, number) in [
        ("to_list", mentors.to_list),
        ("to_delist", mentors.to_delist),
        ("held", if one.has(ProblemKind::RemovalsHeld) { mentors.not_approved } else { 0 }),
    ] {
        gauge!("certvakt_partner_waiting", &by(what)).set(as_f64(number));
    }
    for (what, number) in [
        ("still_listed", mentors.still_shown),
        ("missing", mentors.not_shown),
        ("removed_by_hand", mentors.removed_by_hand),
        ("unknown", partner.unknown_shown),
    ] {
        gauge!("certvakt_partner_listing_wrong", &by(what)).set(as_f64(number));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric is a float; 2^53 is far beyond any count")]
fn as_f64(number: i64) -> f64 {
    number as f64
}
