//! Waiting for what another process does, and commands that wait for a lock.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{TestDatabase, both, failed, superuser};

/// Waits between two looks at something that another process changes, so that it has the processor.
pub async fn between_looks() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

/// A command that waits in the middle of its work for a table that the test holds.
pub struct Blocked {
    command: Child,
    server_process: i32,
    holder: PgConnection,
}

impl TestDatabase {
    /// Starts a command and returns once it waits to write to a table.
    pub async fn blocked_at(&self, table: &str, command: &mut Command) -> Blocked {
        let mut holder = superuser(&self.name).await;
        let hold = format!("begin; lock table {table} in exclusive mode");
        holder.execute(AssertSqlSafe(hold)).await.unwrap();
        Blocked { holder, ..self.blocked(command).await }
    }

    /// Starts a command and returns once it waits for a lock that the test holds.
    pub async fn blocked(&self, command: &mut Command) -> Blocked {
        let holder = superuser(&self.name).await;
        let mut command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut watcher = superuser("postgres").await;
        loop {
            let waiting: Option<i32> = sqlx::query_scalar(
                "select pid from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'",
            )
            .bind(&self.name)
            .fetch_optional(&mut watcher)
            .await
            .unwrap();
            if let Some(server_process) = waiting {
                return Blocked { command, server_process, holder };
            }
            between_looks().await;
            let is_running = command.try_wait().unwrap().is_none();
            assert!(is_running, "it ended early: {}", both(&command.wait_with_output().unwrap()));
        }
    }
}

impl Blocked {
    /// Terminates its connection, as a crashed server would. Returns its error output.
    pub async fn cut_off(mut self, status: i32) -> String {
        let mut watcher = superuser("postgres").await;
        sqlx::query("select pg_terminate_backend($1)")
            .bind(self.server_process)
            .execute(&mut watcher)
            .await
            .unwrap();
        self.holder.execute("rollback").await.unwrap();
        let output = self.command.wait_with_output().unwrap();
        failed(&output, status)
    }

    /// Its peak memory so far, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.command.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Releases the lock and waits for its end.
    pub async fn resume(mut self) {
        self.holder.execute("rollback").await.unwrap();
        let output = self.command.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", both(&output));
    }

    /// Kills it as `kill -9` does, and releases the lock.
    pub async fn kill(mut self) {
        self.command.kill().unwrap();
        self.command.wait().unwrap();
        self.holder.execute("rollback").await.unwrap();
    }
}
