//! Starting and stopping the whole set.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::assertion::ClientKey;
use crate::clock::Clock;
use crate::control::{Counters, Desk, Switches};
use crate::{bluevalley, control_http, harborhmo, hubline, molasses, northstar, serve, statemed};

/// The simulated carriers, in the order of their ports.
pub const CARRIERS: [&str; 6] = ["northstar", "statemed", "harborhmo", "bluevalley", "hubline", "molasses"];

/// How to start.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Loopback address to listen at.
    pub bind: IpAddr,
    /// First of seven ports: the carriers in the order of [`CARRIERS`], then the control plane. `None`: free ones.
    pub port: Option<u16>,
    /// Ports to listen at where they are free, by carrier: those of an earlier run. Without effect where `port` is given.
    pub earlier: Vec<(String, u16)>,
    /// Seed of molasses' random faults, and of those of northstar's authorizations.
    pub seed: u64,
    /// Where northstar writes down, durably, every request for review it receives and every one it accepts: a line of
    /// JSON each. `None`: nowhere.
    pub receipts: Option<PathBuf>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), port: None, earlier: Vec::new(), seed: 1, receipts: None }
    }
}

/// The running carriers. Dropping it ends them too, a moment later than [`Sandbox::shutdown`] does.
pub struct Sandbox {
    addresses: Vec<(&'static str, SocketAddr)>,
    control: Control,
    control_address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// The control plane: clock, counters, switches.
#[derive(Clone)]
pub struct Control {
    clock: Arc<Clock>,
    desks: Arc<BTreeMap<&'static str, Arc<Desk>>>,
}

impl Control {
    /// Pushes the virtual clock forward. Portal sessions and tokens live by it.
    pub fn advance(&self, secs: u64) {
        self.clock.advance(secs);
    }

    /// What a carrier has seen; `None` for a carrier that does not exist.
    pub fn counters(&self, carrier: &str) -> Option<Counters> {
        self.desks.get(carrier).map(|desk| desk.counters())
    }

    /// Hands a client's public key in at a carrier that takes client assertions; `false` for a carrier that does not exist.
    pub fn trust(&self, carrier: &str, key: ClientKey) -> bool {
        self.desks.get(carrier).map(|desk| desk.trust(key)).is_some()
    }

    /// The code that a carrier has mailed last, to whoever signs in there.
    pub fn mailed(&self, carrier: &str) -> Option<String> {
        self.desks.get(carrier)?.mailed()
    }

    /// A carrier's switches as they stand.
    pub fn switches(&self, carrier: &str) -> Option<Switches> {
        self.desks.get(carrier).map(|desk| desk.switches())
    }

    /// Sets a carrier's switches, all of them; `false` for a carrier that does not exist.
    pub fn set(&self, carrier: &str, switches: Switches) -> bool {
        self.desks.get(carrier).map(|desk| desk.set(switches)).is_some()
    }

    /// Everything as at the start: clock, counters, switches, lock-outs, sessions.
    pub fn reset(&self) {
        self.clock.reset();
        self.desks.values().for_each(|desk| desk.reset());
    }

    /// All of it as JSON: `{"clock_ahead_secs", "carriers": {id: {"counters", "switches", "mailed"}}}`.
    pub fn state(&self) -> Value {
        let carriers: Map<String, Value> = self
            .desks
            .iter()
            .map(|(id, desk)| {
                let (counters, switches, mailed) = (desk.counters(), desk.switches(), desk.mailed());
                ((*id).to_owned(), json!({ "counters": counters, "switches": switches, "mailed": mailed }))
            })
            .collect();
        json!({ "clock_ahead_secs": self.clock.ahead_secs(), "carriers": carriers })
    }
}

impl Sandbox {
    /// Starts all carriers and the control plane. They listen when this returns.
    ///
    /// # Errors
    /// An address that is not loopback, a port that is taken, or a receipt log that cannot be opened.
    pub async fn start(config: SandboxConfig) -> io::Result<Self> {
        if !config.bind.is_loopback() {
            let message = "the sandbox listens on loopback only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let clock = Arc::new(Clock::default());
        let desks: BTreeMap<_, _> =
            CARRIERS.iter().map(|id| (*id, Desk::new(id, config.seed, Arc::clone(&clock)))).collect();
        let control = Control { clock: Arc::clone(&clock), desks: Arc::new(desks) };
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for (place, id) in (0_u16..).zip(CARRIERS) {
            let Some(desk) = control.desks.get(id) else { continue };
            let listener = listen_again(&config, id, place).await?;
            addresses.push((id, listener.local_addr()?));
            open(&mut tasks, listener, Arc::clone(desk), stopped.clone(), config.receipts.as_deref())?;
        }
        let listener = listen(&config, u16::try_from(CARRIERS.len()).unwrap_or(u16::MAX)).await?;
        let control_address = listener.local_addr()?;
        let router = control_http::router(control.clone());
        // The control plane has a desk of its own, so that it answers whatever the carriers' switches say.
        let desk = Desk::new("control", config.seed, clock);
        tasks.spawn(serve_router(listener, desk, router, stopped));
        Ok(Self { addresses, control, control_address, stop, tasks })
    }

    /// Where a carrier listens; `None` for a carrier that does not exist.
    pub fn address(&self, carrier: &str) -> Option<SocketAddr> {
        self.addresses.iter().find(|(id, _)| *id == carrier).map(|(_, address)| *address)
    }

    /// All carriers with their addresses, in the order of [`CARRIERS`].
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// Where the control plane listens.
    pub fn control_address(&self) -> SocketAddr {
        self.control_address
    }

    /// The control plane in this process.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Carrier files for all carriers: id and text.
    pub fn carrier_files(&self) -> Vec<(&'static str, String)> {
        let file = |(id, address): &(&'static str, SocketAddr)| Some((*id, crate::carrier_file(id, *address)?));
        self.addresses.iter().filter_map(file).collect()
    }

    /// Closes every connection and stops listening.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Nothing in there waits for anybody; the bound is for bugs.
        let _ = tokio::time::timeout(Duration::from_secs(5), all).await;
    }
}

/// At the port of an earlier run where it is free, so that what points there stays true.
async fn listen_again(config: &SandboxConfig, id: &str, place: u16) -> io::Result<TcpListener> {
    let earlier = config.earlier.iter().find(|(own, _)| own == id).filter(|_| config.port.is_none());
    if let Some((_, port)) = earlier
        && let Ok(listener) = TcpListener::bind(SocketAddr::new(config.bind, *port)).await
    {
        return Ok(listener);
    }
    listen(config, place).await
}

async fn listen(config: &SandboxConfig, place: u16) -> io::Result<TcpListener> {
    let port = config.port.map_or(0, |first| first.saturating_add(place));
    TcpListener::bind(SocketAddr::new(config.bind, port)).await
}

fn open(
    tasks: &mut JoinSet<()>,
    listener: TcpListener,
    desk: Arc<Desk>,
    stop: watch::Receiver<bool>,
    receipts: Option<&Path>,
) -> io::Result<()> {
    let router = match desk.id {
        "northstar" => northstar::router(Arc::clone(&desk), receipts)?,
        "statemed" => statemed::router(Arc::clone(&desk)),
        "harborhmo" => harborhmo::router(Arc::clone(&desk)),
        "bluevalley" => bluevalley::router(Arc::clone(&desk)),
        "hubline" => hubline::router(Arc::clone(&desk)),
        _ => {
            tasks.spawn(async move {
                let each = Arc::clone(&desk);
                serve::accept(listener, desk, stop, |stream| molasses::connection(stream, Arc::clone(&each))).await;
            });
            return Ok(());
        }
    };
    tasks.spawn(serve_router(listener, desk, router, stop));
    Ok(())
}

async fn serve_router(listener: TcpListener, desk: Arc<Desk>, router: Router, stop: watch::Receiver<bool>) {
    let each = Arc::clone(&desk);
    serve::accept(listener, desk, stop, |stream| serve::http(stream, Arc::clone(&each), router.clone())).await;
}
