//! Every function of the schema is called by something.

use std::path::{Path, PathBuf};

use super::{ROOT, files};
use crate::harness::{TestDatabase, superuser};

/// Functions that no other function, view, constraint, default, policy, trigger or index names.
const UNNAMED: &str = "
    with texts (function, text) as (
      select p.oid, p.prosrc || coalesce(pg_get_function_sqlbody(p.oid), '') from pg_proc p
      where p.pronamespace = 'certvakt'::regnamespace
      union all select 0, pg_get_viewdef(c.oid) from pg_class c
      where c.relnamespace = 'certvakt'::regnamespace and c.relkind = 'v'
      union all select 0, pg_get_constraintdef(k.oid) from pg_constraint k where k.contype = 'c'
      union all select 0, pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
      union all select 0, pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal
      union all select 0, concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) from pg_policy p
      union all select 0, pg_get_indexdef(i.indexrelid) from pg_index i where i.indexprs is not null)
    select p.proname::text from pg_proc p
    where p.pronamespace = 'certvakt'::regnamespace and not exists (
      select from texts t where t.function <> p.oid and t.text like '%certvakt.' || p.proname || '(%')
    order by 1";

#[tokio::test]
async fn every_function_is_called_by_the_schema_or_the_program_or_an_app() {
    let database = TestDatabase::new().await;
    let unnamed: Vec<String> =
        sqlx::query_scalar(UNNAMED).fetch_all(&mut superuser(&database.name).await).await.unwrap();
    assert!(unnamed.len() > 10, "{unnamed:?}");
    let mut sources: Vec<PathBuf> = Vec::new();
    for folder in ["rs", "sql"] {
        files(&Path::new(ROOT).join("crates"), folder, &mut sources);
    }
    // A name in a test or in a comment calls nothing.
    let code: String = sources
        .iter()
        .filter(|path| !path.components().any(|part| part.as_os_str() == "tests"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("--"))
        .collect();
    let names = std::fs::read_to_string(Path::new(ROOT).join("docs/external-names.md")).unwrap();
    let external = names.split("\n## SQL functions\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let dead: Vec<&String> = unnamed
        .iter()
        .filter(|name| [&code, external].iter().all(|text| !text.contains(&format!("certvakt.{name}("))))
        .collect();
    assert!(dead.is_empty(), "nothing calls {dead:?}");
}
