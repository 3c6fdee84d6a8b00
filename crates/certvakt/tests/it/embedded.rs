//! The embedded cluster and the demo, without `DATABASE_URL`: as the current user, and as root's unprivileged
//! user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{fail, succeed, terminate};
use crate::stand_in::{fcm_stand_in, write_config};

/// A folder that PostgreSQL's unprivileged user can enter.
fn open_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("certvakt-æøå ").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The binary on the cluster in a folder, with the PostgreSQL programs that the suite runs on.
fn certvakt<'a>(data: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certvakt"));
    command.args(arguments).arg("--data-dir").arg(data).env_remove("DATABASE_URL").env_remove("CERTVAKT_NOW");
    if let Ok(programs) = std::env::var("CERTVAKT_TEST_PROGRAMS") {
        command.env("CERTVAKT_PG_BIN", programs);
    }
    command
}

/// The process of the cluster's server, if it runs.
fn server_process(data: &Path) -> Option<u32> {
    let text = fs::read_to_string(data.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

/// `serve` on a cluster, once it listens.
fn serving(data: &Path, folder: &Path) -> std::process::Child {
    use std::io::{BufRead, BufReader};
    let config = write_config(folder, "[serve]\nlisten = \"127.0.0.1:0\"\n");
    let mut command = certvakt(data, ["serve", "--config", config.to_str().unwrap()]);
    let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("listening")));
    std::thread::spawn(move || lines.count());
    process
}

#[test]
fn a_cluster_is_made_shared_and_stopped_by_the_last_to_leave() {
    let folder = open_folder();
    let data = folder.path().join("data");
    // Two processes that both find no cluster.
    let first: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|slug| {
            let mut command =
                certvakt(&data, ["organisation", "add", slug, "--name", slug, "--timezone", "Europe/Oslo"]);
            command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for one in first {
        let output = one.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(server_process(&data).is_none(), "the last to leave stops it");

    let mut service = serving(&data, folder.path());
    let server = server_process(&data).unwrap();
    let listed = succeed(&mut certvakt(&data, ["organisation", "list", "--output", "json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["organisations"].as_array().unwrap().len(), 2);
    // Its owner may also switch to `authenticated`.
    succeed(&mut certvakt(
        &data,
        ["chapter", "add", "chapter", "--organisation", "one", "--name", "Østlandet"],
    ));
    succeed(&mut certvakt(&data, ["audit", "canary"]));
    assert_eq!(server_process(&data), Some(server), "it joined, and left the others alone");

    // A killed process leaves the server running; the next process joins and stops it.
    service.kill().unwrap();
    service.wait().unwrap();
    assert_eq!(server_process(&data), Some(server));
    succeed(&mut certvakt(&data, ["organisation", "list"]));
    assert!(server_process(&data).is_none());

    let mut service = serving(&data, folder.path());
    terminate(&service);
    assert!(service.wait().unwrap().success());
    assert!(server_process(&data).is_none());
}

#[test]
fn an_incomplete_cluster_is_created_again() {
    let folder = open_folder();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("postgres.making/base")).unwrap();
    succeed(&mut certvakt(&data, ["organisation", "list"]));
    assert!(!data.join("postgres.making").exists());
}

#[test]
fn a_cluster_that_cannot_start_reports_the_reason() {
    let folder = open_folder();
    let other = folder.path().join("other");
    fs::create_dir_all(other.join("postgres")).unwrap();
    fs::write(other.join("postgres/PG_VERSION"), "9\n").unwrap();
    let said = fail(&mut certvakt(&other, ["status"]), 6);
    assert!(
        said.contains("postgresql-version") && said.contains("PostgreSQL 9") && said.contains("--data-dir"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(other.join("postgres/PG_VERSION")).unwrap(),
        "9\n",
        "and nothing was touched"
    );

    let said =
        fail(certvakt(&folder.path().join("none"), ["status"]).env("CERTVAKT_PG_BIN", "/nonexistent"), 6);
    assert!(
        said.contains("postgresql-missing")
            && said.contains("apt-get install postgresql")
            && said.contains("DATABASE_URL"),
        "{said}"
    );

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let said = fail(&mut certvakt(&file, ["status"]), 6);
    assert!(said.contains("data-folder"), "{said}");
    if geteuid().is_root() {
        // A folder that PostgreSQL's user cannot enter.
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let said = fail(&mut certvakt(closed.path(), ["status"]), 6);
        assert!(said.contains("enter the data folder"), "{said}");
    }
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
}

#[test]
fn without_root_the_missing_packages_are_named() {
    let may_hide =
        Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|done| done.success());
    if !may_hide {
        println!("skipped: whoever runs this may not hide what is installed");
        return;
    }
    let folder = open_folder();
    let script = folder.path().join("install-packages");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/install-packages"), &script).unwrap();
    let hidden = folder.path().join("hidden");
    fs::create_dir(&hidden).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c"]).arg(
        "mount --bind \"$1\" /usr/lib/postgresql && exec setpriv --reuid=nobody --regid=nogroup --clear-groups \"$2\" demo",
    );
    let said = fail(command.arg("sh").arg(&hidden).arg(&script), 1);
    assert!(said.contains("postgresql") && said.contains("apt-get install"), "{said}");
}

/// The demo's binaries where everybody can run them.
fn copied(folder: &Path) -> PathBuf {
    for program in [PathBuf::from(env!("CARGO_BIN_EXE_certvakt")), fcm_stand_in()] {
        let copy = folder.join(program.file_name().unwrap());
        fs::copy(&program, &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder.join("certvakt")
}

#[test]
fn the_demo_shows_every_stage_and_leaves_nothing_behind() {
    let folder = open_folder();
    let program = copied(folder.path());
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o777)).unwrap();
    let mut demo = Command::new(&program);
    // Root runs it as an ordinary user.
    if geteuid().is_root() {
        use std::os::unix::process::CommandExt;
        let nobody = User::from_name("nobody").unwrap().unwrap();
        demo.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw()).env("HOME", "/nonexistent");
    }
    demo.args(["demo", "--output", "json"])
        .env("TMPDIR", &temporary)
        .env_remove("DATABASE_URL")
        .env_remove("XDG_RUNTIME_DIR");
    if let Ok(programs) = std::env::var("CERTVAKT_TEST_PROGRAMS") {
        demo.env("CERTVAKT_PG_BIN", programs);
    }
    let report: Value = serde_json::from_str(&succeed(&mut demo)).unwrap();
    let mentors = report["mentors"].as_i64().unwrap();
    assert!((1_900..=2_100).contains(&mentors), "{mentors}");
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for run in runs {
        for stage in ["expiry_warning_90d", "expiry_warning_30d", "expiry_warning_7d", "expired"] {
            assert!(run["recorded"][stage].as_i64().unwrap() > 0, "{stage}: {run}");
        }
    }
    assert!(report["deliveries"]["delivered"].as_i64().unwrap() > 0);
    assert!(report["unreachable"].as_i64().unwrap() > 0);
    let nights = report["forecast"].as_object().unwrap();
    assert_eq!(nights.len(), 14);
    assert!(nights.values().any(|night| night["expiry_warning_30d"].as_i64().unwrap() > 0));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "its folder is gone");
}

/// Connects to the server on a socket as a user of this machine, and returns the output of `psql`.
fn asked_by(user: &str, sockets: &Path, login: &str) -> std::process::Output {
    let mut psql = Command::new("psql");
    if geteuid().is_root() {
        use std::os::unix::process::CommandExt;
        let user = User::from_name(user).unwrap().unwrap();
        psql.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    psql.args(["-X", "-h"]).arg(sockets).args(["-U", login, "-d", "certvakt", "-c", "select 1"]);
    psql.current_dir("/").env("LC_ALL", "C").output().unwrap()
}

#[test]
fn no_other_user_signs_in_to_the_cluster_or_holds_its_locks() {
    let folder = open_folder();
    let data = folder.path().join("data it's");
    let mut service = serving(&data, folder.path());
    let pid = fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
    let sockets = PathBuf::from(pid.lines().nth(4).unwrap());
    assert_eq!(fs::metadata(&sockets).unwrap().permissions().mode() & 0o777, 0o700);
    let me = User::from_uid(geteuid()).unwrap().unwrap().name;
    assert!(asked_by(&me, &sockets, "certvakt_owner").status.success());
    let server_user = User::from_uid(nix::unistd::Uid::from_raw({
        use std::os::unix::fs::MetadataExt;
        fs::metadata(data.join("postgres")).unwrap().uid()
    }));
    let server_user = server_user.unwrap().unwrap().name;
    let others = if geteuid().is_root() { vec![server_user.as_str(), "nobody"] } else { vec![] };
    for user in others {
        assert!(!asked_by(user, &sockets, "certvakt_owner").status.success(), "{user}");
    }
    // Nobody can connect as the cluster's superuser.
    let refused = asked_by(&me, &sockets, "certvakt_superuser");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("pg_hba.conf"), "{refused:?}");
    for lock in ["start.lock", "users.lock"] {
        assert_eq!(fs::metadata(data.join(lock)).unwrap().permissions().mode() & 0o777, 0o600, "{lock}");
    }
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o022, 0);
    terminate(&service);
    assert!(service.wait().unwrap().success());

    // A folder that another user created is refused.
    if geteuid().is_root() {
        let others = folder.path().join("others");
        fs::create_dir(&others).unwrap();
        let nobody = User::from_name("nobody").unwrap().unwrap();
        std::os::unix::fs::chown(&others, Some(nobody.uid.as_raw()), None).unwrap();
        let said = fail(&mut certvakt(&others, ["status"]), 6);
        assert!(said.contains("data-folder") && said.contains("another user"), "{said}");
    }
}

#[test]
fn root_without_a_postgresql_user_creates_one() {
    let may_hide =
        Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|done| done.success());
    if !geteuid().is_root() || !may_hide {
        println!("skipped: this needs root, and permission to mount");
        return;
    }
    let folder = open_folder();
    let (etc, data) = (folder.path().join("etc"), folder.path().join("data"));
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-ec"]).arg(
        "cp -a /etc \"$1\"; for file in passwd shadow group gshadow; do sed -i '/^postgres:/d' \"$1/$file\"; done
         mount --bind \"$1\" /etc; data=$2; shift 2
         \"$@\" organisation list --data-dir \"$data\" >&2
         \"$@\" organisation list --data-dir \"$data\" >&2
         stat --format '%U' \"$data/postgres\"; getent passwd certvakt",
    );
    inside.arg("sh").arg(&etc).arg(&data).arg(env!("CARGO_BIN_EXE_certvakt")).env_remove("DATABASE_URL");
    if let Ok(programs) = std::env::var("CERTVAKT_TEST_PROGRAMS") {
        inside.env("CERTVAKT_PG_BIN", programs);
    }
    let said = succeed(&mut inside);
    let (owner, account) = said.split_once('\n').unwrap();
    assert_eq!(owner, "certvakt");
    assert!(account.trim_end().ends_with("nologin"), "{account}");
}
