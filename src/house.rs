//! The rooms put together: what `serve`, `demo`, `ask --offline` and the tests open.

mod simulated;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use sandbox::Sandbox;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::api::App;
use crate::batches::Batches;
use crate::carriers::{CarrierBook, Limits};
use crate::config::Config;
use crate::events::{Events, Webhooks};
use crate::gateway::{Gateway, Planes};
use crate::identity::{Caller, Declined, Identity, NewMember, Role, Scope};
use crate::patients::Patients;
use crate::pauses::Pauses;
use crate::practice::PracticeId;
use crate::schedule::{Rooms, Schedule};
use crate::stack::{AnswerCache, Care, Pulse, Shared};
use crate::store::Store;
use crate::submissions::Submissions;
use crate::tasks::Tasks;
use crate::trail::{Actor, Trail};
use crate::vault::{self, SecretFields, Vault};

/// How often carrier files are looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often samples of histograms are drained.
const METRICS_EVERY: Duration = Duration::from_secs(5);
/// A retry's pause is lengthened by up to this, so that many do not come at once.
const RETRY_JITTER: Duration = Duration::from_millis(100);
/// The demo's person; the address can be nobody's (RFC 2606).
const DEMO_EMAIL: &str = "demo@portico.example";

/// Why a command or the house could not be run: one sentence for the person at the keyboard, and how to mend it.
#[derive(Debug)]
pub struct CannotRun(pub String);

impl<E: std::error::Error> From<E> for CannotRun {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// An open house: the rooms, and the tasks that keep them.
pub struct House {
    /// What the API works with.
    pub app: App,
    book: Arc<CarrierBook>,
    tasks: Vec<JoinHandle<()>>,
    /// Removed when the house is dropped: the demo's temporary folder.
    _folder: Option<tempfile::TempDir>,
}

impl House {
    /// The demo's practice.
    pub const DEMO_PRACTICE: &str = "demo";

    /// Opens the rooms as configured: store, vault, trail, carriers, gateway.
    ///
    /// # Errors
    /// What cannot be opened, and how to mend it.
    pub async fn open(config: &Config) -> Result<Self, CannotRun> {
        let store = Store::open_at(&config.data_dir, &config.tables).await?;
        let vault = open_vault(&store, &config.vault_key_file).await?;
        Self::open_over(config, store, vault).await
    }

    /// As [`House::open`], over a store and a vault that are open already.
    ///
    /// # Errors
    /// What cannot be opened, and how to mend it.
    pub async fn open_over(config: &Config, store: Arc<Store>, vault: Arc<Vault>) -> Result<Self, CannotRun> {
        let (book, report) = CarrierBook::open(&config.carriers_dir, config.limits);
        report.log();
        let private = config.webhooks_private.clone();
        let trail = Trail::anchored(store.clone(), vault.clone(), &config.anchor_dir)?;
        let mut house = Self::furnish(store, vault, trail, book, config.time_zone.clone(), private).await?;
        house.app.proxies = config.trusted_proxies.clone().into();
        house.tasks.push(tokio::spawn(house.book.clone().watch(LOOK_EVERY)));
        house.begin().await?;
        Ok(house)
    }

    /// A house for the demo and the tests: the sandbox's carriers, one practice with a credential for each, a store and
    /// the carrier files in `data` or in a temporary folder. Files that somebody changed or added there stay.
    ///
    /// # Errors
    /// What cannot be opened.
    pub async fn demo(sandbox: &Sandbox, data: Option<&Path>) -> Result<Self, CannotRun> {
        let (base, folder) = base(data)?;
        // First: its lock says that nobody else works in this folder.
        let store = Store::open(&base.join("store"))?;
        let files = base.join("carriers");
        simulated::lay_out(&files, sandbox)?;
        let (book, report) = CarrierBook::open(&files, Limits::default());
        report.log();
        let mut house = Self::over_book(book, store, &sandbox::credentials(), &base).await?;
        house.app.simulated = Some(sandbox.control().clone());
        house._folder = folder;
        house.tasks.push(tokio::spawn(house.book.clone().watch(LOOK_EVERY)));
        Ok(house)
    }

    /// Where the simulated carriers of a demo in `data` listened last time, for [`sandbox::SandboxConfig::earlier`].
    pub fn demo_ports(data: Option<&Path>) -> Vec<(String, u16)> {
        data.map(|data| simulated::earlier(&data.join("carriers"))).unwrap_or_default()
    }

    /// As [`House::demo`], with any carrier files and credentials.
    ///
    /// # Errors
    /// What cannot be opened, the problems of the carrier files included.
    pub async fn over_files(
        files: Vec<(String, String)>,
        credentials: &[(&str, &[(&str, &str)])],
        data: Option<&Path>,
    ) -> Result<Self, CannotRun> {
        let (base, folder) = base(data)?;
        let (book, report) = CarrierBook::from_files(files, Limits::default());
        if !report.problems.is_empty() {
            let lines: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
            return Err(CannotRun(lines.join("\n")));
        }
        let store = Store::open(&base.join("store"))?;
        let mut house = Self::over_book(book, store, credentials, &base).await?;
        house._folder = folder;
        Ok(house)
    }

    async fn over_book(
        book: Arc<CarrierBook>,
        store: Arc<Store>,
        credentials: &[(&str, &[(&str, &str)])],
        base: &Path,
    ) -> Result<Self, CannotRun> {
        // Beside the store, not in it: a copy of the data does not open the vault.
        let vault = open_vault(&store, &base.join("vault.key")).await?;
        // Whoever tries the demo has nothing but this machine to be told on.
        let private = vec!["127.0.0.0/8".to_owned()];
        let trail = Trail::anchored(store.clone(), vault.clone(), &base.join("anchors"))?;
        let mut house = Self::furnish(store, vault, trail, book, jiff::tz::TimeZone::system(), private).await?;
        let practice = house.app.identity.ensure_practice(Self::DEMO_PRACTICE, "Demo practice").await?;
        for (carrier, fields) in credentials {
            house.enter(&practice, carrier, fields).await?;
        }
        house.begin().await?;
        Ok(house)
    }

    /// Takes up what an earlier process left and goes on with it, unless the data was put back. Whatever is needed for that
    /// (the demo's logins) is there by now.
    async fn begin(&mut self) -> Result<(), CannotRun> {
        let app = &self.app;
        if app.trail.held().is_some() {
            return Ok(());
        }
        take_up(&app.submissions, &app.batches).await?;
        self.tasks.extend([
            tokio::spawn(app.webhooks.clone().deliver()),
            tokio::spawn(app.submissions.clone().work()),
            tokio::spawn(app.batches.clone().work()),
            tokio::spawn(app.patients.clone().keep_small()),
            tokio::spawn(app.vault.clone().look_after_keys()),
        ]);
        Ok(())
    }

    async fn furnish(
        store: Arc<Store>,
        vault: Arc<Vault>,
        trail: Arc<Trail>,
        book: Arc<CarrierBook>,
        zone: jiff::tz::TimeZone,
        webhooks_private: Vec<String>,
    ) -> Result<Self, CannotRun> {
        // Before anything is written: was the database put back to an earlier state? Then nothing is taken up, settled,
        // sent or delivered: what the books say was true once, and only a person knows what happened since.
        let acts = trail.check_anchors().await?.is_empty();
        let identity = Identity::new(store.clone(), trail.clone());
        let events = Events::new(store.clone());
        let webhooks = Webhooks::new(store.clone(), trail.clone(), vault.clone(), webhooks_private);
        let people = Tasks::new(store.clone(), trail.clone());
        if acts {
            settle(&trail, &vault, &people).await?;
        }
        let pulse = Arc::new(Pulse::default());
        let practices: Vec<PracticeId> = identity.practices().await?.into_iter().map(|(id, _)| id).collect();
        pulse.recall(&trail, &practices).await?;
        let pauses = Some(Pauses::open(store.clone(), trail.clone()).await?);
        let care = Care { pulse, pauses };
        let cache = Arc::new(AnswerCache::new()?);
        let shared = Shared { cache, ledger: trail.clone(), retry_jitter: RETRY_JITTER, care };
        let planes = Planes::attended(book.clone(), vault.clone(), people.relay(), shared);
        let metrics = metrics_handle()?;
        let keeping = trail.clone();
        let tasks = vec![
            tokio::spawn(planes.clone().follow_reloads()),
            tokio::spawn(keep_metrics_small(metrics.clone())),
            tokio::spawn(async move { keeping.keep().await }),
        ];
        let gateway = Gateway::new(planes, zone);
        let proxies = Arc::new([]);
        let submissions = Submissions::open(store.clone(), trail.clone(), vault.clone(), gateway.clone()).await?;
        let (rows, records, seals) = (store.clone(), trail.clone(), vault.clone());
        let patients = Patients::new(store.clone(), trail.clone(), vault.clone());
        let batches = Batches::new(store, trail.clone(), vault.clone(), identity.clone(), gateway.clone());
        let schedule = Schedule::new(Rooms {
            store: rows,
            trail: records,
            sealer: seals,
            identity: identity.clone(),
            gateway: gateway.clone(),
            patients: patients.clone(),
            batches: batches.clone(),
        });
        let app = App {
            gateway,
            submissions,
            tasks: people,
            batches,
            schedule,
            patients,
            identity,
            vault,
            trail,
            events,
            webhooks,
            metrics,
            proxies,
            simulated: None,
        };
        Ok(Self { app, book, tasks, _folder: None })
    }

    async fn enter(&self, practice: &PracticeId, carrier: &str, fields: &[(&str, &str)]) -> Result<(), CannotRun> {
        let Some(known) = self.book.get(carrier) else { return Ok(()) };
        let owner = vault::owner(practice, &known);
        // The simulated carriers listen at other ports each time: a credential pinned to the last ones is entered anew.
        if self.app.vault.info(&owner, carrier).is_some_and(|info| known.hosts.iter().all(|h| info.origins.contains(h)))
        {
            return Ok(());
        }
        let fields: SecretFields =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into())).collect();
        self.app.vault.put(&owner, carrier, fields, &known.hosts, &Actor::command_line()).await?;
        Ok(())
    }

    /// A new API key of the demo's practice, with every scope.
    ///
    /// # Errors
    /// What the store says.
    pub async fn demo_key(&self) -> Result<String, CannotRun> {
        let practice = PracticeId::new(Self::DEMO_PRACTICE);
        let key = self.app.identity.create_key(&practice, "demo", &Scope::ALL, &Actor::command_line()).await?;
        Ok(key.key.to_string())
    }

    /// Somebody who may do everything in the demo's practice, with a new password and without one-time codes: address and
    /// password.
    ///
    /// # Errors
    /// What the store says.
    pub async fn demo_login(&self) -> Result<(String, Zeroizing<String>), CannotRun> {
        let identity = &self.app.identity;
        let caller = Caller::command_line(PracticeId::new(Self::DEMO_PRACTICE));
        let new = NewMember { email: DEMO_EMAIL, name: "Demo Person", role: Role::PracticeAdmin, second_factor: false };
        let invitation = match identity.add_person(&caller, new).await {
            // There since an earlier start on the same data: a new password all the same.
            Err(Declined::Already) => identity.operator_reset(DEMO_EMAIL).await?,
            other => other?,
        };
        let password = identity.random_password()?;
        let token = invitation.token.unwrap_or_default();
        identity.accept_invitation(&token, &password, "demo").await?;
        Ok((DEMO_EMAIL.to_owned(), password))
    }

    /// Reads the carrier files again, now.
    pub fn reload(&self) {
        let book = self.book.clone();
        tokio::task::spawn_blocking(move || book.reload().log());
    }

    /// Signs out of the carriers, stops the house's own tasks, and signs and anchors the trail's last records.
    pub async fn close(self) {
        self.app.batches.finish().await;
        for task in &self.tasks {
            task.abort();
        }
        self.app.submissions.finish().await;
        self.app.gateway.planes().close().await;
        if let Err(error) = self.app.trail.checkpoint().await {
            tracing::error!(%error, "the paper trail's last records have no checkpoint; the next start makes it");
        }
    }
}

/// Ends what an earlier process left in the middle, before anybody asks anything.
async fn settle(trail: &Trail, vault: &Vault, people: &Tasks) -> Result<(), CannotRun> {
    let interrupted = trail.close_interrupted().await?;
    if interrupted > 0 {
        tracing::warn!(interrupted, "questions that an earlier process left open are marked as failed");
    }
    let open = vault.settle_interrupted().await?;
    if open > 0 {
        tracing::warn!(open, "sign-ins were under way when an earlier process ended; their credentials are suspect");
    }
    let gone = people.close_left_open().await?;
    if gone > 0 {
        tracing::warn!(gone, "tasks that an earlier process left open are closed: what waited for them is gone");
    }
    Ok(())
}

/// Takes up what an earlier process left open: the data directory's lock says that it is dead.
async fn take_up(submissions: &Submissions, batches: &Batches) -> Result<(), CannotRun> {
    let taken_up = submissions.recover().await?;
    if taken_up > 0 {
        tracing::warn!(taken_up, "submissions that an earlier process left open are taken up");
    }
    let taken_up = batches.recover().await?;
    if taken_up > 0 {
        tracing::info!(taken_up, "batches that an earlier process left unfinished are taken up");
    }
    Ok(())
}

/// Where the demo keeps its things; a temporary folder where none is named.
fn base(data: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>), CannotRun> {
    if let Some(data) = data {
        return Ok((data.to_owned(), None));
    }
    let folder = tempfile::Builder::new().prefix("portico-demo-").tempdir()?;
    Ok((folder.path().to_owned(), Some(folder)))
}

/// The vault of this store; made, with a new key file, when neither exists yet.
async fn open_vault(store: &Arc<Store>, key_file: &Path) -> Result<Arc<Vault>, CannotRun> {
    let (vault, made) = Vault::open_or_init(store.clone(), key_file).await?;
    if made {
        tracing::warn!(key_file = %key_file.display(), "a new vault key was made; keep a copy of this file, apart from the data");
    }
    Ok(vault)
}

/// Histograms hold every sample until somebody drains them: a gateway whose metrics nobody reads would grow for ever.
async fn keep_metrics_small(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(METRICS_EVERY).await;
        metrics.run_upkeep();
    }
}

/// The process has one metrics recorder; houses share it.
fn metrics_handle() -> Result<PrometheusHandle, CannotRun> {
    use metrics_exporter_prometheus::PrometheusBuilder;
    static HANDLE: std::sync::Mutex<Option<PrometheusHandle>> = std::sync::Mutex::new(None);
    let mut kept = HANDLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(handle) = &*kept {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)
        .map_err(|_| CannotRun("another metrics recorder is installed".to_owned()))?;
    *kept = Some(handle.clone());
    Ok(handle)
}
