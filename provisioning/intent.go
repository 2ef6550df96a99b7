package provisioning

import (
	"context"
	"errors"
	"time"
)

// Intent is the stored record of one order, from before its create is sent. It is what makes "never twice" survive lost answers, crashes and restarts. It is
// plain JSON and holds no secret.
type Intent struct {
	Key   string `json:"key"`
	Scope string `json:"scope"` // panel and owner; creates of one scope run one at a time
	Owner string `json:"owner"` // the panel's own id of the owner
	// Before holds the owner's servers at the time of the plan: the new one is not among them.
	Before []ID `json:"before,omitempty"`
	// SendBefore is set when the create was planned; it is never sent later.
	SendBefore time.Time `json:"sendBefore"`
	// ID is set as soon as the server is known.
	ID     ID     `json:"id,omitempty"`
	UUID   string `json:"uuid,omitempty"`
	Marked bool   `json:"marked,omitempty"` // the Key was written onto the server
	// BuildBefore is set before the installation of an allocated server is started; it is never sent later.
	BuildBefore time.Time `json:"buildBefore,omitzero"`
	// Closed says that this create made no server: it was refused, or proven absent. The same Key may plan again.
	Closed bool `json:"closed,omitempty"`
	// Retired says that the server's deletion was asked for. The Key is never used again.
	Retired bool `json:"retired,omitempty"`
}

// open reports a create whose server is not known yet, and which may have been sent.
func (i Intent) open() bool { return i.ID == "" && !i.Closed && !i.Retired }

// MayReplace is the rule that every store enforces in Save, in one step with the writing: a Key never changes its scope, never gets another server, never has
// two creates that are not resolved, and is never un-retired. It is what holds when two calls reach one Key under different locks: two owners with the same
// Key, or Retire of a Key whose first order is just being planned. The error is of Kind Conflict or Mismatch.
func (i Intent) MayReplace(old Intent) error {
	switch {
	case old.Retired && !i.Retired:
		return &Error{Kind: Conflict, Op: "Save", Message: "key " + old.Key + " was retired"}
	case i.Scope != old.Scope:
		return &Error{Kind: Mismatch, Op: "Save", Message: "key " + old.Key + " belongs to an order of " + old.Scope}
	case old.ID != "" && i.ID != old.ID:
		return &Error{Kind: Conflict, Op: "Save", Message: "key " + old.Key + " has server " + string(old.ID)}
	case old.open() && !i.SendBefore.Equal(old.SendBefore):
		return &Error{Kind: Conflict, Op: "Save", Message: "another create of key " + old.Key + " is not resolved"}
	}
	return nil
}

// Intents stores intents. MemIntents serves one process and forgets, FileIntents survives restarts on one machine, the engine's table serves many machines.
//
// Save must be durable when it returns, and refuses what MayReplace refuses. It is called only while the scope is locked, except by Retire for a Key that was
// never seen. Lock waits until ctx ends; the lock is given back when its holder dies, and nobody locks a second scope while holding one. A store whose locks
// can expire while their holder lives refuses every Save of a holder that lost its lock: without that, a process that was stopped for longer than its lock
// could plan from an old list. Times are kept to the millisecond.
type Intents interface {
	Lock(ctx context.Context, scope string) (unlock func(), err error)
	// Load returns NotFound when nothing is stored for the key.
	Load(ctx context.Context, key string) (Intent, error)
	// Save stores i in place of what is stored for its Key.
	Save(ctx context.Context, i Intent) error
	// Open lists the intents of the scope whose create may have been sent and whose server is not known.
	Open(ctx context.Context, scope string) ([]Intent, error)
}

// Retire stores that the server of key is, or will be, deleted. CreateOnce refuses the key from then on, so that an order that is processed a second time
// never gets the doomed server, nor a new one. Call it before Delete.
func Retire(ctx context.Context, store Intents, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	known, err := store.Load(ctx, key)
	if err != nil && !errors.Is(err, NotFound) {
		return err
	}
	unlock, err := store.Lock(ctx, known.Scope)
	if err != nil {
		return err
	}
	defer unlock()
	in, err := store.Load(ctx, key)
	if err != nil && !errors.Is(err, NotFound) {
		return err
	}
	if in.Key != "" && (in.open() || in.Scope != known.Scope) {
		return &Error{Kind: Conflict, Op: "Retire", Message: "the create of key " + key + " is not resolved yet; call CreateOnce first"}
	}
	in.Key, in.Retired = key, true
	return store.Save(ctx, in)
}

func noIntent(key string) *Error {
	return &Error{Kind: NotFound, Op: "Load", Message: "no intent is stored for key " + key}
}
