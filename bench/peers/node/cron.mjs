// The textbook cron job: selects who is due, computes each key and inserts a row at a time, a
// transaction each. Ends after so many rows.
//
//   node cron.mjs DATE ROWS        (DATABASE_URL)

import { createHash } from "node:crypto";
import pg from "pg";

const [date, rows] = process.argv.slice(2);
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const due = await client.query(
  `select d.id, d.peer_mentor_id, s.stage, to_char(d.last_valid_day - s.days_before, 'YYYY-MM-DD') as due_date
   from (
     select c.id, c.peer_mentor_id, (c.expires_at at time zone o.time_zone)::date as last_valid_day
     from certvakt.organisations o
     join public.peer_mentor_certifications c on c.organisation_id = o.id
     where c.status <> 'suspended'
       and c.expires_at >= ($1::date - 30)::timestamp at time zone o.time_zone
       and c.expires_at < ($1::date + 91)::timestamp at time zone o.time_zone
   ) d
   join (values ('expiry_warning_90d', 90, 31, 90), ('expiry_warning_30d', 30, 8, 30),
                ('expiry_warning_7d', 7, 0, 7), ('expired', -1, -30, -1)) as s (stage, days_before, least, most)
     on d.last_valid_day - $1::date between s.least and s.most
   limit $2`,
  [date, rows],
);
for (const notice of due.rows) {
  const key = createHash("sha256").update(`${notice.id}|${notice.stage}|${notice.due_date}`).digest("hex");
  await client.query(
    `insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key)
     values ($1, $2, $3, $4) on conflict (idempotency_key) do nothing`,
    [notice.id, notice.stage, notice.peer_mentor_id, key],
  );
}
await client.end();
