package engine

import (
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Config says what an engine works with. Only DatabaseURL and one provider are needed.
type Config struct {
	// DatabaseURL is "sqlite:PATH" for a file of this machine, or "postgres://..." to share the work with engines on other machines. All tables begin with
	// hvpanels_ or river_; give PostgreSQL a schema of its own with ?search_path=NAME when River is used there for something else.
	DatabaseURL provisioning.Secret
	// Providers and Registrars are the panels, by the names that services use: 1 to 40 characters of a-z, 0-9 and single inner hyphens, each name once in
	// both maps together. A name belongs to one panel for ever: ids of servers and records are stored under it.
	Providers  map[string]provisioning.Provider
	Registrars map[string]provisioning.Registrar
	// Workers is how many steps of one panel this process runs at once, 8 when zero. Processes add up: two of them run 16. On SQLite more of them do not get
	// more done, because one writes at a time.
	Workers int
	// PanelWorkers replaces Workers for the panels it names.
	PanelWorkers map[string]int
	// Create tunes the creation of servers and records: SendWindow and Settle. OnStage is called as CreateOnce does.
	Create  provisioning.CreateOptions
	Timings Timings
	// PasswordKey encrypts the root passwords that wait for TakePassword (AES-256-GCM, the key is derived from it): 16 characters or more, the same in every
	// process. Without it they are stored as they are, readable for everybody who can read the database. Either way they are deleted when they are taken.
	PasswordKey provisioning.Secret
	// Moved names panels whose address has changed and which are still the same panels; let the orders that are being created finish before. Otherwise a name
	// whose panel has another address than the stored one is refused by Open: the stored ids would point at other customers' servers there.
	Moved []string
	// Logger gets what an operator wants to know: pauses, dead letters, losses. Nil is silent.
	Logger *slog.Logger
	// Metrics are called as things happen.
	Metrics Metrics
}

// Timings are the engine's clocks. Zero fields have the defaults, which are right for real panels; tests against simulated ones shorten them.
type Timings struct {
	Sweep       time.Duration // how often each process looks for rows that are due, 1 s
	Lease       time.Duration // how long a row stays with a process that is not heard of, 6 s; renewed every third of it
	Watchdog    time.Duration // how long a wake-up may take before it is sent again, 15 s; doubles each time
	StepTimeout time.Duration // how long one step may take, 1 minute; afterwards it is cancelled and its lease ends
	Observe     time.Duration // how often a service that is as desired is looked at, 15 minutes; more often after a change. Negative: never
	FirstLook   time.Duration // the first of the more frequent looks after a change, 5 s; the next come after as long again
	Poll        time.Duration // first and shortest pause between looks at something that the panel is doing, 1 s
	Confirm     time.Duration // how long after a panel's first "not found" it is asked again, 30 s
	LossWindow  time.Duration // what counts as one pass for the loss of many servers at once, 1 hour
	RetryFirst  time.Duration // pause after a first failure, 1 s; doubles, with jitter
	RetryMax    time.Duration // longest pause between failures, 5 minutes
	GiveUp      time.Duration // how long something may fail before it becomes a dead letter, 7 days
	Probe       time.Duration // longest pause between two attempts to reach a panel that was paused because it failed, 30 s
	RecordEvery time.Duration // shortest time between two status reports of one record, 10 s
	Expiry      time.Duration // how long a command may wait until it is sent, 10 minutes
	Watch       time.Duration // how often Watch and WaitCommand look, 500 ms
}

func (t Timings) withDefaults() Timings {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Sweep, time.Second}, {&t.Lease, 6 * time.Second}, {&t.Watchdog, 15 * time.Second}, {&t.StepTimeout, time.Minute},
		{&t.Observe, 15 * time.Minute}, {&t.FirstLook, 5 * time.Second}, {&t.Poll, time.Second}, {&t.Confirm, 30 * time.Second}, {&t.LossWindow, time.Hour},
		{&t.RetryFirst, time.Second}, {&t.RetryMax, 5 * time.Minute}, {&t.GiveUp, 7 * 24 * time.Hour}, {&t.Probe, 30 * time.Second},
		{&t.RecordEvery, 10 * time.Second}, {&t.Expiry, 10 * time.Minute}, {&t.Watch, 500 * time.Millisecond},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}

const defaultWorkers = 8

var panelName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (c Config) withDefaults() Config {
	c.Timings = c.Timings.withDefaults()
	if c.Workers == 0 {
		c.Workers = defaultWorkers
	}
	if c.Create.SendWindow <= 0 {
		c.Create.SendWindow = 30 * time.Second
	}
	if c.Create.Settle <= 0 {
		c.Create.Settle = 2 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	names := slices.Concat(slices.Collect(maps.Keys(c.Providers)), slices.Collect(maps.Keys(c.Registrars)))
	slices.Sort(names)
	if len(c.Providers) == 0 {
		return provisioning.InvalidField("providers", "at least one is needed")
	}
	for i, name := range names {
		switch {
		case len(name) > 40 || !panelName.MatchString(name):
			return provisioning.InvalidField("providers", "%.60q must be 1 to 40 characters of a-z, 0-9 and single inner hyphens", name)
		case i > 0 && name == names[i-1]:
			return provisioning.InvalidField("providers", "%s is the name of a provider and of a registrar", name)
		case c.Providers[name] == nil && c.Registrars[name] == nil:
			return provisioning.InvalidField("providers", "%s is nil", name)
		}
	}
	for _, n := range append(slices.Collect(maps.Values(c.PanelWorkers)), c.Workers) {
		if n < 1 || n > 10_000 {
			return provisioning.InvalidField("workers", "must be 1 to 10000")
		}
	}
	if c.PasswordKey != "" && len(c.PasswordKey) < 16 {
		return provisioning.InvalidField("passwordKey", "must have 16 characters or more")
	}
	return c.Timings.validate()
}

func (t Timings) validate() error {
	for name, d := range map[string]time.Duration{
		"sweep": t.Sweep, "lease": t.Lease, "watchdog": t.Watchdog, "stepTimeout": t.StepTimeout, "firstLook": t.FirstLook, "poll": t.Poll, "confirm": t.Confirm,
		"lossWindow": t.LossWindow, "retryFirst": t.RetryFirst, "retryMax": t.RetryMax, "giveUp": t.GiveUp, "probe": t.Probe, "recordEvery": t.RecordEvery,
		"expiry": t.Expiry, "watch": t.Watch,
	} {
		if d < time.Millisecond {
			return provisioning.InvalidField("timings."+name, "must be 1 ms or more")
		}
	}
	return nil
}

// panel is one of the configured panels.
type panel struct {
	name      string
	provider  provisioning.Provider
	registrar provisioning.Registrar
	workers   int
}

func (c Config) panels() map[string]*panel {
	all := map[string]*panel{}
	for name, p := range c.Providers {
		all[name] = &panel{name: name, provider: p, workers: c.Workers}
	}
	for name, r := range c.Registrars {
		all[name] = &panel{name: name, registrar: r, workers: c.Workers}
	}
	for name, n := range c.PanelWorkers {
		if p := all[name]; p != nil {
			p.workers = n
		}
	}
	return all
}

// any is what capabilities are asked of.
func (p *panel) any() any {
	if p.provider != nil {
		return p.provider
	}
	return p.registrar
}

// endpoint is the panel's address, "" when it does not tell.
func (p *panel) endpoint() string {
	if b, ok := provisioning.As[interface{ BaseURL() string }](p.any()); ok {
		return b.BaseURL()
	}
	return ""
}
