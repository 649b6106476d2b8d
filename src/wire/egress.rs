//! Where bytes may go: hosts that the carrier file lists, over https, to addresses that are not inside somebody's house.
//!
//! Checked twice: the address of every request and of every redirect before anything is dialled ([`Egress::check`]),
//! and the IP address a name resolved to right before it is dialled ([`Egress::may_dial`]), so that a name that starts
//! to point inwards (DNS rebinding) leads nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connector_sdk::{Error, ErrorKind, Result};
use http::Uri;

/// The rule of one carrier.
pub(crate) struct Egress {
    hosts: Vec<String>,
    private: Vec<Network>,
}

/// Addresses with the same first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    bits: u8,
}

impl Egress {
    /// The rule for these `hosts` (`host` or `host:port`) and these private networks (`10.1.2.0/24`).
    ///
    /// # Errors
    /// The text that is not a network.
    pub(crate) fn new(hosts: &[String], allow_private: &[String]) -> std::result::Result<Self, String> {
        let private = allow_private
            .iter()
            .map(|text| Network::parse(text).ok_or_else(|| text.clone()))
            .collect::<std::result::Result<_, _>>()?;
        Ok(Self { hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(), private })
    }

    /// Whether a request may go to this address.
    ///
    /// # Errors
    /// [`ErrorKind::EgressRefused`]; nothing was dialled.
    pub(crate) fn check(&self, uri: &Uri) -> Result<()> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(refused("A whole web address is needed.", "address"));
        };
        if authority.as_str().contains('@') {
            return Err(refused("A web address with a user name in it is not used.", "userinfo"));
        }
        let plain = match scheme {
            "https" => false,
            "http" => true,
            _ => return Err(refused("Only https addresses are used.", "scheme")),
        };
        if plain && !is_loopback_name(authority.host()) {
            return Err(refused("Only https addresses are used (http only to this machine itself).", "scheme"));
        }
        if listed(&self.hosts, uri) {
            Ok(())
        } else {
            Err(refused("The carrier pointed to a host that its file does not list.", "host"))
        }
    }

    /// Whether the address a name resolved to may be dialled. `host` is the name in the web address, which was listed.
    pub(crate) fn may_dial(&self, host: &str, ip: IpAddr) -> bool {
        is_public(ip) || self.invites(ip) || (is_loopback_name(host) && canonical(ip).is_loopback())
    }

    /// Whether the address lies in a private network that is named.
    pub(crate) fn invites(&self, ip: IpAddr) -> bool {
        self.private.iter().any(|network| network.holds(ip))
    }
}

/// Whether `hosts` lists the address's host and port. An entry without a port means 443.
pub(crate) fn listed(hosts: &[String], uri: &Uri) -> bool {
    let Some(host) = uri.host() else { return false };
    let with_port = address(uri);
    hosts.iter().any(|entry| {
        let entry = entry.strip_prefix("https://").or_else(|| entry.strip_prefix("http://")).unwrap_or(entry);
        entry.eq_ignore_ascii_case(&with_port) || (port(uri) == 443 && entry.eq_ignore_ascii_case(host))
    })
}

/// The port an address leads to: its scheme's own where it names none.
pub(crate) fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}

/// `host:port`, in small letters.
pub(crate) fn address(uri: &Uri) -> String {
    format!("{}:{}", uri.host().unwrap_or_default().to_ascii_lowercase(), port(uri))
}

/// Names of this machine itself. Any other name that leads here is refused.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]") || host.eq_ignore_ascii_case("localhost")
}

pub(crate) fn refused(message: &'static str, what: &'static str) -> Error {
    Error::new(ErrorKind::EgressRefused, message).fact("what", what)
}

/// An IPv4 address in IPv6 clothes, undressed.
fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => embedded(v6).map_or(ip, IpAddr::V4),
    }
}

/// The IPv4 address inside a mapped (RFC 4291), NAT64 (RFC 6052) or 6to4 (RFC 3056) address.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let join = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(w, x, y, z)
    };
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(join(g, h)),
        (0x2002, ..) => Some(join(b, c)),
        _ => None,
    }
}

/// Whether an address lies on the public internet: what is left after the IANA special-purpose registries.
fn is_public(ip: IpAddr) -> bool {
    match canonical(ip) {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            // 2000::/3 without Teredo, benchmarking, ORCHID (2001::/23) and documentation.
            (0x2000..0x4000).contains(&a) && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && a != 0x3fff
        }
    }
}

impl Network {
    /// Reads `10.1.2.0/24`, `fd00::/8` or one address.
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = if matches!(base, IpAddr::V4(_)) { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { base, bits })
    }

    fn holds(self, ip: IpAddr) -> bool {
        let shift = u32::from(self.bits);
        match (self.base, canonical(ip)) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(shift)).unwrap_or(0);
                u32::from(base) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(shift)).unwrap_or(0);
                u128::from(base) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(hosts: &[&str], private: &[&str]) -> Egress {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Egress::new(&own(hosts), &own(private)).unwrap()
    }

    #[test]
    fn only_listed_hosts_over_https() {
        let egress = egress(&["Edi.acme.example", "edi.acme.example:8443", "127.0.0.1:81", "localhost:82"], &[]);
        for good in [
            "https://edi.acme.example/core",
            "https://EDI.ACME.EXAMPLE:443/",
            "https://edi.acme.example:8443/x",
            "http://127.0.0.1:81/",
            "http://localhost:82/",
        ] {
            assert!(egress.check(&good.parse().unwrap()).is_ok(), "{good}");
        }
        let tricks = [
            "http://edi.acme.example/core",
            "https://edi.acme.example:444/",
            "https://edi.acme.example.evil.example/",
            "https://evil.example/edi.acme.example",
            "https://edi.acme.example@evil.example/",
            "https://user@edi.acme.example/",
            "https://edi.acme.example./",
            "http://127.0.0.1:80/",
            "http://127.0.0.2:81/",
            "http://2130706433:81/",
            "http://[::ffff:127.0.0.1]:81/",
            "ftp://edi.acme.example/",
            "/core",
        ];
        for bad in tricks {
            let error = egress.check(&bad.parse().unwrap()).expect_err(bad);
            assert_eq!(error.kind, ErrorKind::EgressRefused, "{bad}");
        }
    }

    #[test]
    fn addresses_inside_somebodys_house_are_not_dialled() {
        let egress = egress(&["edi.acme.example"], &["10.1.2.0/24", "fd12::/16"]);
        let inside = [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.0.0.1",
            "10.1.3.0",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "203.0.113.9",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "fe80::1",
            "fc00::1",
            "fd13::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "::127.0.0.1",
        ];
        for ip in inside {
            assert!(!egress.may_dial("edi.acme.example", ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "2606:4700::1111", "10.1.2.3", "::ffff:10.1.2.3", "fd12::9", "64:ff9b::808:808"] {
            assert!(egress.may_dial("edi.acme.example", ip.parse().unwrap()), "{ip}");
        }
        assert!(egress.may_dial("localhost", "127.0.0.1".parse().unwrap()));
        assert!(!egress.may_dial("localhost", "10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_network_that_is_none_is_named() {
        assert_eq!(Egress::new(&[], &["10.0.0.0/33".to_owned()]).err().as_deref(), Some("10.0.0.0/33"));
        assert_eq!(Egress::new(&[], &["acme".to_owned()]).err().as_deref(), Some("acme"));
    }
}
