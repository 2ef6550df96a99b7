package engine

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Verb says what a Command does.
type Verb string

// The verbs.
const (
	Start             Verb = "start"
	Restart           Verb = "restart"
	Shutdown          Verb = "shutdown"
	PowerOff          Verb = "power off"
	Rename            Verb = "rename"              // Command.Name
	Rebuild           Verb = "rebuild"             // Command.Rebuild; all data is lost. A new root password waits for TakePassword where the panel tells it
	ResetRootPassword Verb = "reset root password" // Command.Password; the new one waits for TakePassword
)

// Command is something to be done once. It is not part of what a service should be: it is never done again, whatever happens to the server later.
type Command struct {
	// ID names the command, 1 to 60 characters; a new one is made when it is empty. Doing a command with an ID that is known does nothing: that is how a
	// button that is pressed twice restarts once.
	ID       string                       `json:"-"`
	Verb     Verb                         `json:"verb"`
	Name     string                       `json:"name,omitempty"`
	Rebuild  provisioning.RebuildRequest  `json:"rebuild,omitzero"`
	Password provisioning.PasswordOptions `json:"password,omitzero"`
}

// CommandState is how far a command has come.
type CommandState string

// The states of a command. Done, Failed and Unclear are final.
const (
	CommandPending CommandState = "pending"
	CommandSending CommandState = "sending"
	CommandRunning CommandState = "running"
	CommandDone    CommandState = "done"
	CommandFailed  CommandState = "failed"
	// CommandUnclear means that it was sent, and that its fate is not known: the answer was lost, or the process died. It is not sent again.
	CommandUnclear CommandState = "unclear"
)

// CommandStatus is what became of a command.
type CommandStatus struct {
	ID, Key  string
	Verb     Verb
	State    CommandState
	Message  string // why it failed or waits, or how far it is
	Created  time.Time
	Finished time.Time // zero until it is over
}

// Over reports a final state.
func (c CommandStatus) Over() bool {
	return c.State == CommandDone || c.State == CommandFailed || c.State == CommandUnclear
}

// Do stores a command and returns its ID; the commands of one service are sent one after the other. A command that could not be sent within Timings.Expiry,
// because the panel was paused or the server not ready, fails: nobody wants a restart an hour later. See WaitCommand.
//
// Errors: Invalid for a bad command; NotFound when there is no such service; Conflict when the service is to be absent, or the ID belongs to another service.
func (e *Engine) Do(ctx context.Context, key string, c Command) (id string, err error) {
	if err := c.check(); err != nil {
		return "", err
	}
	if c.ID == "" {
		c.ID = strings.ToLower(rand.Text())
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("engine: command: %w", err)
	}
	return c.ID, e.db.tx(ctx, func(t txn) error {
		svc, ok, err := loadService(ctx, t.conn, key, true)
		if err != nil {
			return err
		}
		if !ok || svc.forgotten {
			return noService("Do", key)
		}
		if svc.Desired == Absent {
			return &provisioning.Error{Op: "Do", Kind: provisioning.Conflict, Message: "service " + key + " is to be absent"}
		}
		n, err := t.exec(ctx, `INSERT INTO hvpanels_command(id, key, state, body, created_at, expires_at) VALUES ($1, $2, $3, $4, {now}, {now}+$5) ON CONFLICT (id) DO NOTHING`,
			c.ID, key, string(CommandPending), string(text), e.config.Timings.Expiry.Milliseconds())
		if err != nil {
			return err
		}
		if n == 0 {
			return sameCommand(ctx, t.conn, c.ID, key)
		}
		return e.nudge(ctx, t, []string{targetID(key, svc.Provider)})
	})
}

// sameCommand accepts a command that was stored before.
func sameCommand(ctx context.Context, c conn, id, key string) error {
	old, err := loadCommand(ctx, c, id)
	if err == nil && old.Key != key {
		err = &provisioning.Error{Op: "Do", Kind: provisioning.Conflict, Message: "command " + id + " belongs to service " + old.Key}
	}
	return err
}

func (c Command) check() error {
	if len(c.ID) > 60 {
		return provisioning.InvalidField("id", "must be at most 60 characters")
	}
	switch c.Verb {
	case Start, Restart, Shutdown, PowerOff, ResetRootPassword:
	case Rename:
		if strings.TrimSpace(c.Name) == "" {
			return provisioning.InvalidField("name", "is missing")
		}
	case Rebuild:
		if c.Rebuild.Image == "" {
			return provisioning.InvalidField("rebuild.image", "is missing")
		}
	default:
		return provisioning.InvalidField("verb", "%.40q is not known", string(c.Verb))
	}
	return nil
}

// Command says what became of a command. NotFound when there is none with this ID.
func (e *Engine) Command(ctx context.Context, id string) (CommandStatus, error) {
	c, err := loadCommand(ctx, e.db.pool(), id)
	return c.CommandStatus, err
}

// WaitCommand waits until the command is over, or ctx ends. The error is only about the waiting: see CommandStatus.State for what became of the command.
func (e *Engine) WaitCommand(ctx context.Context, id string) (CommandStatus, error) {
	for {
		c, err := e.Command(ctx, id)
		if err != nil || c.Over() {
			return c, err
		}
		if err := pause(ctx, e.config.Timings.Watch); err != nil {
			return c, err
		}
	}
}

// storedCommand is a row of the commands.
type storedCommand struct {
	CommandStatus
	Command Command
	sent    time.Time
	ref     string
	secret  string
	expired bool // by the database's clock
}

const commandColumns = `id, key, state, message, body, ref, secret, created_at, coalesce(sent_at, created_at), coalesce(finished_at, 0), CASE WHEN expires_at<{now} THEN 1 ELSE 0 END`

func (c *storedCommand) scan(scan func(...any) error) error {
	var text string
	var created, sent, finished, expired int64
	if err := scan(&c.ID, &c.Key, &c.State, &c.Message, &text, &c.ref, &c.secret, &created, &sent, &finished, &expired); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), &c.Command); err != nil {
		return fmt.Errorf("engine: stored command %s: %w", c.ID, err)
	}
	c.Verb, c.Created, c.sent, c.Finished, c.expired = c.Command.Verb, timeOf(created), timeOf(sent), timeOf(finished), expired != 0
	return nil
}

func loadCommand(ctx context.Context, c conn, id string) (storedCommand, error) {
	var found storedCommand
	err := c.each(ctx, `SELECT `+commandColumns+` FROM hvpanels_command WHERE id=$1`, []any{id}, found.scan)
	if err == nil && found.ID == "" {
		err = &provisioning.Error{Op: "Command", Kind: provisioning.NotFound, Message: fmt.Sprintf("there is no command %.60q", id)}
	}
	return found, err
}

func noService(op, key string) error {
	return &provisioning.Error{Op: op, Kind: provisioning.NotFound, Message: fmt.Sprintf("there is no service %.60q", key)}
}
