//! The table of triggers in ARCHITECTURE.md matches the catalogue.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::Row;

use super::ROOT;
use crate::harness::{TestDatabase, superuser};

/// Of each table, its triggers in the order in which they fire: name and event.
type Triggers = BTreeMap<String, Vec<[String; 2]>>;

fn drawn() -> Triggers {
    let text = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let table = text.split("| table | trigger | fires | effect |\n|---|---|---|---|\n").nth(1).unwrap();
    let mut triggers = Triggers::new();
    for row in table.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, table, trigger, fires, effect, _] = cells[..] else { panic!("{row}") };
        assert!(!effect.is_empty(), "{row}");
        triggers.entry(table.to_owned()).or_default().push([trigger, fires].map(str::to_owned));
    }
    triggers
}

#[tokio::test]
async fn the_drawn_triggers_are_those_of_the_schema_in_their_order() {
    let database = TestDatabase::new().await;
    // The bits of tgtype: 1 each row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate.
    let found = sqlx::query(
        "select c.relname::text, t.tgname::text,
           case when t.tgtype & 2 > 0 then 'before ' else 'after ' end
           || array_to_string(array_remove(array[
                case when t.tgtype & 4 > 0 then 'insert' end,
                case when t.tgtype & 16 > 0 then 'update' || coalesce((
                  select ' of ' || string_agg(a.attname, ', ' order by place)
                  from unnest(t.tgattr) with ordinality as of (number, place)
                  join pg_attribute a on a.attrelid = c.oid and a.attnum = of.number), '') end,
                case when t.tgtype & 8 > 0 then 'delete' end,
                case when t.tgtype & 32 > 0 then 'truncate' end], null), ' or ')
           || case when t.tgtype & 1 > 0 then ', each row' else ', each statement' end
           || case t.tgenabled when 'O' then '' when 'A' then ', always' else ', disabled' end
         from pg_trigger t join pg_class c on c.oid = t.tgrelid
         where not t.tgisinternal and c.relnamespace in ('public'::regnamespace, 'certvakt'::regnamespace)
         order by c.relname, t.tgtype & 2 = 0, (t.tgtype & 1 > 0) = (t.tgtype & 2 = 0), t.tgname",
    )
    .fetch_all(&mut superuser(&database.name).await)
    .await
    .unwrap();
    let mut triggers = Triggers::new();
    for row in found {
        triggers.entry(row.get(0)).or_default().push([row.get(1), row.get(2)]);
    }
    assert!(triggers.len() > 10, "{triggers:#?}");
    assert_eq!(drawn(), triggers);
}
