//! Proposed columns.

use serde_json::{Value, json};

use super::{Desk, take_in};
use crate::harness::{fail, succeed};

#[tokio::test]
async fn a_proposal_can_be_run_as_it_is_and_imports_nothing_itself() {
    let desk = Desk::new().await;
    let file = desk.file(
        "register.csv",
        "Medlemsnr;Navn;E-post;Gyldig til\n1;Åse Ødegård;aa@example.org;31/12/2027\n2;Bo Berg;;01/02/2028\n",
    );
    let propose = |output: &str| {
        let mut command =
            desk.database.certvakt(["import", file.to_str().unwrap(), "--guess", "--organisation", "org"]);
        succeed(command.args(["--chapter", "chapter", "--type", "type", "--output", output]))
    };
    let found: Value = serde_json::from_str(&propose("json")).unwrap();
    assert_eq!(found["guess"]["date_formats"], json!(["DD/MM/YYYY"]), "{found}");
    assert_eq!(found["guess"]["missing"], json!([]));
    assert!(desk.is_empty().await);
    let command = found["command"].as_str().unwrap();
    assert!(command.contains("expires_at='Gyldig til'") && command.ends_with("--dry-run"), "{command}");
    assert!(propose("text").contains(command));
    // A shell runs the proposed command as it is.
    let mut bash = desk.database.bash();
    bash.args(["-c", &format!("{} \"$@\"", command.replace(" --dry-run", "")), "bash"]);
    assert_eq!(take_in(&mut bash)["added"], 2);

    // A choice that the file does not decide is left to a person, and the given layout stays in the command.
    let unclear = desk.file("unclear.csv", "Title\nNr~Utløper\n1~01/02/2027\n");
    let mut command = desk.database.certvakt(["import", unclear.to_str().unwrap(), "--guess"]);
    let text = succeed(command.args(["--header-row", "2", "--separator", "~"]));
    assert!(text.contains("which date format is right (DD/MM/YYYY or MM/DD/YYYY): choose one"), "{text}");
    assert!(text.contains("--date-format FORM --header-row 2 --separator '~' --dry-run"), "{text}");

    let unknown = desk.file("unknown.csv", "Comment\ntext\n");
    let mut command = desk.database.certvakt(["import", unknown.to_str().unwrap(), "--guess"]);
    assert!(succeed(&mut command).contains("No column was found for external_id and expires_at"));
    let mut command = desk.database.certvakt(["import", unknown.to_str().unwrap()]);
    assert!(fail(&mut command, 2).contains("--organisation"));
}
