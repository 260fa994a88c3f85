//! A container that is made: what runs in it, and what of its host it is given.
//!
//! Docker's `containers/create` in its body; the words are those of the shell for `docker run`.

use sallyport_core::{Action, ObjectName, UnknownCode, Verb};

use super::remote;
use crate::http::call::Call;
use crate::http::found::Found;
use crate::http::json::Json;

/// What the body of the request says.
pub(super) fn create(call: &Call<'_>, found: &mut Found) {
    let Some(json) = call.content.json() else {
        return found.unknown(UnknownCode::Unsupported, "a container whose body is not read");
    };
    let mut words = texts(json, &["/Entrypoint", "/Entrypoint/*"]);
    words.extend(texts(json, &["/Cmd", "/Cmd/*"]));
    remote::run(&words, found);
    for health in json.at("/Healthcheck/Test").into_iter().filter(|test| !test.items().is_empty()) {
        let words: Vec<&str> = health.items().iter().skip(1).filter_map(Json::as_text).collect();
        remote::script_text(&words.join(" "), found);
    }
    let mounts = json.at("/HostConfig/Binds/*").into_iter().filter_map(Json::as_text);
    let binds =
        mounts.filter_map(|bind| bind.split(':').next()).chain(texts(json, &["/HostConfig/Mounts/*/Source"]));
    for source in binds.filter(|source| source.starts_with('/')) {
        found.add(Action::on_object(Verb::Mount, "file", ObjectName::verbatim(source)));
    }
    let shares = |pointer: &str| {
        texts(json, &[pointer]).iter().any(|mode| *mode == "host" || mode.starts_with("container:"))
    };
    let has_some = |pointer: &str| json.at(pointer).iter().any(|value| !value.items().is_empty());
    let is_elevated = json.at("/HostConfig/Privileged").contains(&&Json::Bool(true))
        || ["PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode"]
            .iter()
            .any(|mode| shares(&format!("/HostConfig/{mode}")))
        || ["CapAdd", "Devices", "DeviceCgroupRules", "GroupAdd"]
            .iter()
            .any(|given| has_some(&format!("/HostConfig/{given}")))
        || texts(json, &["/HostConfig/SecurityOpt/*"])
            .iter()
            .any(|option| !option.starts_with("no-new-privileges"));
    if is_elevated {
        found.add(Action::on_object(Verb::Elevate, "container", ObjectName::verbatim("container")));
    }
}

fn texts<'j>(json: &'j Json, pointers: &[&str]) -> Vec<&'j str> {
    pointers.iter().flat_map(|pointer| json.at(pointer)).filter_map(Json::as_text).collect()
}
