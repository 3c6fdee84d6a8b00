//! The schema of a message, by the documentation of HTTP v1.

use serde_json::{Map, Value};

/// The allowed fields of the documented schema, by the path of their object.
const SCHEMA: &[(&str, &[&str])] = &[
    ("", &["message", "validate_only"]),
    ("message", &["token", "notification", "data", "android", "apns", "webpush", "fcm_options"]),
    ("message.notification", &["title", "body", "image"]),
    (
        "message.android",
        &[
            "collapse_key",
            "priority",
            "ttl",
            "restricted_package_name",
            "data",
            "notification",
            "fcm_options",
            "direct_boot_ok",
        ],
    ),
    (
        "message.android.notification",
        &[
            "title",
            "body",
            "icon",
            "color",
            "sound",
            "tag",
            "click_action",
            "channel_id",
            "ticker",
            "sticky",
            "event_time",
            "local_only",
            "notification_priority",
            "visibility",
            "notification_count",
        ],
    ),
    ("message.apns", &["headers", "payload", "fcm_options", "live_activity_token"]),
];

/// Checks a request. An error is the path of the first field at fault, with the reason.
pub(crate) fn check(request: &Value) -> Result<(), (String, String)> {
    for (path, known) in SCHEMA {
        let Some(object) = object(request, path)? else { continue };
        if let Some(unknown) = object.keys().find(|key| !known.contains(&key.as_str())) {
            return Err((
                join(path, unknown),
                format!("Invalid JSON payload received. Unknown name \"{unknown}\""),
            ));
        }
    }
    let message = &request["message"];
    if message["token"].as_str().is_none_or(str::is_empty) {
        return Err(("message.token".to_owned(), "Recipient of the message is not set.".to_owned()));
    }
    for path in ["message.data", "message.apns.headers", "message.android.data"] {
        let Some(object) = object(request, path)? else { continue };
        if let Some((key, _)) = object.iter().find(|(_, value)| !value.is_string()) {
            return Err((join(path, key), "Invalid value, it must be a string".to_owned()));
        }
        let reserved = ["from", "message_type", "notification"];
        if path == "message.data"
            && let Some(key) = object.keys().find(|key| {
                reserved.contains(&key.as_str()) || key.starts_with("google") || key.starts_with("gcm")
            })
        {
            return Err((join(path, key), "Reserved key".to_owned()));
        }
    }
    let collapse = message["apns"]["headers"]["apns-collapse-id"].as_str().unwrap_or_default();
    if collapse.len() > 64 {
        return Err((
            "message.apns.headers".to_owned(),
            "apns-collapse-id is longer than 64 bytes".to_owned(),
        ));
    }
    let ttl = &message["android"]["ttl"];
    let seconds =
        ttl.as_str().and_then(|text| text.strip_suffix('s')).and_then(|text| text.parse::<f64>().ok());
    // "Set and manage message priority": at most 28 days.
    if !ttl.is_null() && seconds.is_none_or(|seconds| !(0.0..=2_419_200.0).contains(&seconds)) {
        return Err(("message.android.ttl".to_owned(), "Invalid duration".to_owned()));
    }
    Ok(())
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The object at a path; `None` if it is absent; a fault if it is not an object.
fn object<'a>(request: &'a Value, path: &str) -> Result<Option<&'a Map<String, Value>>, (String, String)> {
    let found = path.split('.').filter(|part| !part.is_empty()).fold(request, |value, part| &value[part]);
    match found {
        Value::Null if !path.is_empty() => Ok(None),
        Value::Object(object) => Ok(Some(object)),
        _ => Err((path.to_owned(), "Invalid value, it must be an object".to_owned())),
    }
}
