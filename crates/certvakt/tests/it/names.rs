//! The order of names.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::harness::{TestDatabase, superuser};

#[tokio::test]
async fn names_are_in_the_order_of_family_names_and_then_of_names() {
    const SEED: [u8; 32] = *b"family names in Norwegian order.";
    println!("seed {SEED:?}");
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &SEED));
    let name = "[aAåÅæÆøØäöoebzZß \u{301}\u{30a}'-]{1,5}";
    let names = prop::collection::vec((name, name), 200).new_tree(&mut runner).unwrap().current();
    let (names, family_names): (Vec<String>, Vec<String>) = names.into_iter().unzip();
    let database = TestDatabase::new().await;
    let different: i64 = sqlx::query_scalar(
        "with key as materialized (
           select certvakt.alphabetical(g.name, g.family_name) as whole, certvakt.alphabetical(g.family_name) as family,
             certvakt.alphabetical(g.name) as name
           from unnest($1::text[], $2::text[]) g (name, family_name))
         select count(*) from key a cross join key b
         where (a.whole < b.whole) is distinct from ((a.family, a.name) < (b.family, b.name))",
    )
    .bind(names)
    .bind(family_names)
    .fetch_one(&mut superuser(&database.name).await)
    .await
    .unwrap();
    assert_eq!(different, 0);
}
