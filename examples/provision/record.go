package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
)

// ledger remembers which record of the OSPAB panel belongs to which order: one JSON file for each key, next to the intents. The panel has no way to look a record up with the
// sync key, so what is not written down before a Register is sent cannot be found out later.
type ledger struct {
	dir       string
	locks     provisioning.Intents   // only for Lock
	registrar provisioning.Registrar // nil: no OSPAB panel is driven
	panel     string                 // its address: ids of two panels have nothing to do with each other
	users     ospabpanel.UserTable   // customers of the orders on that panel
	settle    time.Duration          // how long after a lost answer the panel may still make the record
}

// entry is what the ledger knows about one order. No entry at all means that another ledger may have had one.
type entry struct {
	Key    string                `json:"key"`
	State  entryState            `json:"state"`
	Panel  string                `json:"panel,omitempty"`
	SentAt time.Time             `json:"sentAt,omitzero"`
	Record provisioning.Record   `json:"record,omitzero"` // what was sent
	ID     provisioning.RecordID `json:"id,omitempty"`
	// Status is the last one that the panel has acknowledged.
	Status provisioning.RecordStatus `json:"status,omitempty"`
}

type entryState string

const (
	entryNew        entryState = "new"        // nothing was sent
	entrySending    entryState = "sending"    // stored before the Register is sent; after a crash nobody knows whether the panel has it
	entryRegistered entryState = "registered" // the record's id is known
)

// uncertain is the error of an entry whose record may exist and cannot be found by this program.
func (l *ledger) uncertain(e entry, reason error) error {
	return fmt.Errorf("uncertain: a record may exist, and is not sent a second time (%w). Look at the VPS of panel user %d on %s for one called %q, "+
		"then run the same command with -record %s=ID, or with -record %s=none if there is none", reason, l.users[e.Record.OwnerRef], l.panel, e.Key, e.Key, e.Key)
}

// begin notes that the server of an order is about to be made, so that there can be no record yet.
func (l *ledger) begin(key string) error {
	if _, err := l.load(key); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return l.save(entry{Key: key, State: entryNew})
}

// register makes the record of an order, at most one.
func (l *ledger) register(ctx context.Context, want provisioning.Record) (entry, error) {
	unlock, err := l.locks.Lock(ctx, "record of "+want.Key)
	if err != nil {
		return entry{}, err
	}
	defer unlock()
	e, err := l.load(want.Key)
	switch {
	case errors.Is(err, os.ErrNotExist): // the server was not made with this folder
		e = entry{Key: want.Key, State: entrySending, Panel: l.panel, SentAt: time.Now(), Record: want}
		if err := l.save(e); err != nil {
			return e, err
		}
	case err != nil:
		return e, err
	}
	switch {
	case e.State == entryNew:
		return l.send(ctx, want)
	case e.Panel != l.panel:
		return e, fmt.Errorf("the record of %s is on the panel at %s", e.Key, e.Panel)
	case e.State == entryRegistered:
		return e, nil
	}
	return l.find(ctx, e)
}

// send stores that a Register is about to be sent, sends it once, and stores what came of it.
func (l *ledger) send(ctx context.Context, want provisioning.Record) (entry, error) {
	e := entry{Key: want.Key, State: entrySending, Panel: l.panel, SentAt: time.Now(), Record: want}
	if err := l.save(e); err != nil {
		return e, err
	}
	id, err := l.registrar.Register(ctx, want)
	switch {
	case errors.Is(err, provisioning.ErrMaybeApplied):
		return l.find(ctx, e)
	case err != nil: // refused, or never sent: nothing was made
		e = entry{Key: want.Key, State: entryNew}
		return e, errors.Join(err, l.save(e))
	}
	return l.registered(e, id)
}

// find resolves an entry whose Register has an unknown end, where the panel can be searched. As long as the panel may still make the record, it looks again, until ctx ends.
func (l *ledger) find(ctx context.Context, e entry) (entry, error) {
	finder, ok := provisioning.As[provisioning.RegistrarFinder](l.registrar)
	if !ok {
		return e, l.uncertain(e, errors.New("the panel's answer to it was not received"))
	}
	var found []provisioning.FoundRecord
	err := provisioning.Wait(ctx, func(ctx context.Context) (_ provisioning.Look, err error) {
		asked := time.Now()
		found, err = finder.FindRecords(ctx, e.Record)
		return provisioning.Look{Done: len(found) > 0 || asked.Sub(e.SentAt) > l.settle, State: "not found yet"}, err
	}, provisioning.WaitOptions{})
	switch {
	case err != nil:
		return e, l.uncertain(e, err)
	case len(found) == 0: // nor will there be one
		return l.send(ctx, e.Record)
	case len(found) > 1:
		return e, l.uncertain(e, fmt.Errorf("the panel has %d such records", len(found)))
	}
	return l.registered(e, found[0].ID)
}

func (l *ledger) registered(e entry, id provisioning.RecordID) (entry, error) {
	e.State, e.ID, e.Status = entryRegistered, id, provisioning.RecordCreating
	return e, l.save(e)
}

// setStatus tells the panel what was observed. Repeating it is harmless; two at once are not, because the later answer wins.
func (l *ledger) setStatus(ctx context.Context, e entry, s provisioning.RecordStatus) (entry, error) {
	unlock, err := l.locks.Lock(ctx, "record of "+e.Key)
	if err != nil {
		return e, err
	}
	defer unlock()
	if err := l.registrar.SetRecordStatus(ctx, e.ID, s); err != nil {
		return e, err
	}
	e.Status = s
	return e, l.save(e)
}

// resolve stores what a person has found out about an uncertain record; id "none" means that the panel has none.
func (l *ledger) resolve(key, id string) error {
	e, err := l.load(key)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && e.State == entryNew:
		return fmt.Errorf("no record of %s is uncertain in %s", key, l.dir)
	case err != nil:
		return err
	case e.State == entryRegistered:
		return fmt.Errorf("the record of %s is known: %s", key, e.ID)
	case id == "none":
		return l.save(entry{Key: key, State: entryNew})
	}
	_, err = l.registered(e, provisioning.RecordID(id))
	return err
}

func (l *ledger) file(key string) string { return filepath.Join(l.dir, key+".record.json") }

func (l *ledger) load(key string) (e entry, err error) {
	b, err := os.ReadFile(l.file(key)) // #nosec G304 G703 -- a checked key in a folder that the user names
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("%s: %w", l.file(key), err)
	}
	return e, nil
}

func (l *ledger) save(e entry) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(l.file(e.Key), b)
}

// writeFile writes b to disk and moves it into place: after a crash the file has its old content or the new one.
func writeFile(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path) // #nosec G703 -- the user names the folder
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name())) // #nosec G703 -- as above
	}
	return nil
}
