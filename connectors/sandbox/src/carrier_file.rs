//! The carrier files by which a gateway reaches the simulated carriers.

use std::net::SocketAddr;

/// The text of the carrier file for a simulated carrier at this address; `None` for a carrier that does not exist.
pub fn carrier_file(carrier: &str, address: SocketAddr) -> Option<String> {
    let template = match carrier {
        "northstar" => include_str!("../carriers/northstar.toml"),
        "statemed" => include_str!("../carriers/statemed.toml"),
        "harborhmo" => include_str!("../carriers/harborhmo.toml"),
        "bluevalley" => include_str!("../carriers/bluevalley.toml"),
        "hubline" => include_str!("../carriers/hubline.toml"),
        "molasses" => include_str!("../carriers/molasses.toml"),
        _ => return None,
    };
    Some(template.replace("{{address}}", &address.to_string()))
}
