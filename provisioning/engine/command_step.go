package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// nextCommand returns the oldest command of the service that has to be sent. busy is true while one is being carried out.
func (p *providerStep) nextCommand(ctx context.Context) (c *storedCommand, v verdict, busy bool) {
	for {
		var next storedCommand
		err := p.e.db.pool().each(ctx, `SELECT `+commandColumns+` FROM hvpanels_command WHERE key=$1 AND state IN ('pending', 'sending', 'running')
			ORDER BY created_at, id LIMIT 1`,
			[]any{p.svc.Key}, next.scan)
		switch {
		case err != nil:
			return nil, p.retry(err), true
		case next.ID == "":
			return nil, v, false
		case next.State == CommandSending: // the process that sent it has died, or was too slow
			err = p.finish(ctx, &next, CommandUnclear, "it was being sent when its process ended")
		case next.State == CommandPending && next.expired:
			err = p.finish(ctx, &next, CommandFailed, "it could not be sent in time: "+next.Message)
		case next.State == CommandPending:
			return &next, v, false
		default:
			if v, busy = p.followCommand(ctx, &next); busy {
				return nil, v, true
			}
		}
		if err != nil {
			return nil, p.retry(err), true
		}
	}
}

// followCommand looks at a command that the panel carries out.
func (p *providerStep) followCommand(ctx context.Context, c *storedCommand) (v verdict, busy bool) {
	look, err := p.look(ctx, c.ref)
	switch {
	case errors.Is(err, provisioning.ErrTaskFailed):
		err = p.finish(ctx, c, CommandFailed, err.Error())
	case errors.Is(err, provisioning.NotFound):
		err = p.finish(ctx, c, CommandUnclear, "the panel no longer knows the operation: "+err.Error())
	case p.asked(err) != nil:
		v, refused := p.failure(ctx, "looking at "+string(c.Verb), err)
		if !refused {
			return v, true
		}
		err = p.finish(ctx, c, CommandUnclear, "it was accepted, but its end cannot be seen: "+v.message)
	case !look.Done && time.Since(c.sent) > longestChange:
		err = p.finish(ctx, c, CommandUnclear, "it was accepted, and its end was not seen within "+longestChange.String())
	case !look.Done:
		return p.again(Changing, progress("the panel carries out "+string(c.Verb), look), c.Created), true
	default:
		err = p.finish(ctx, c, CommandDone, "")
	}
	if err != nil {
		return p.retry(err), true
	}
	return v, false
}

// do sends a command. It is stored as being sent first, so that it is never sent twice.
func (p *providerStep) do(ctx context.Context, c *storedCommand) verdict {
	if err := p.e.save(ctx, p.t, p.l); err != nil { // nobody else has the row
		return p.retry(err)
	}
	store, cancel := storing(ctx)
	n, err := p.e.db.pool().exec(store, `UPDATE hvpanels_command SET state=$2, owner=$3, sent_at={now} WHERE id=$1 AND state='pending'`,
		c.ID, string(CommandSending), p.t.token)
	cancel()
	if err != nil || n == 0 {
		return p.retry(errors.Join(errFenced, err))
	}
	p.sent = string(c.Verb)
	password, op, err := p.send(ctx, c.Command)
	if err != nil {
		return p.notDone(ctx, c, err)
	}
	p.alive, p.l.EventAt = true, time.Now()
	if c.Verb == Rebuild {
		p.l.Image, p.l.BuildFailure = c.Command.Rebuild.Image, ""
	}
	if err := p.accepted(ctx, c, password, op); err != nil {
		return p.retry(err)
	}
	return verdict{state: Changing, message: "the panel carries out " + string(c.Verb), after: p.e.config.Timings.Poll}
}

func (p *providerStep) send(ctx context.Context, c Command) (password provisioning.Secret, op *provisioning.Operation, err error) {
	provider, id := p.p.provider, provisioning.ID(p.t.instance)
	switch c.Verb {
	case Start:
		op, err = provisioning.Start(ctx, provider, id)
	case Restart:
		op, err = provisioning.Restart(ctx, provider, id)
	case Shutdown:
		op, err = provisioning.Shutdown(ctx, provider, id)
	case PowerOff:
		op, err = provisioning.PowerOff(ctx, provider, id)
	case Rename:
		err = provisioning.Rename(ctx, provider, id, c.Name)
	case Rebuild:
		var r provisioning.Rebuilt
		r, err = provisioning.Rebuild(ctx, provider, id, c.Rebuild)
		password, op = r.Password, r.Operation
	case ResetRootPassword:
		var r provisioning.PasswordReset
		r, err = provisioning.ResetRootPassword(ctx, provider, id, c.Password)
		password, op = r.Password, r.Operation
	default:
		err = provisioning.InvalidField("verb", "%.40q is not known", string(c.Verb))
	}
	return password, op, err
}

// accepted stores that the panel has taken the command. The password is kept aside until the operation has ended well.
func (p *providerStep) accepted(ctx context.Context, c *storedCommand, password provisioning.Secret, op *provisioning.Operation) error {
	if password != "" {
		c.secret = p.e.vault.seal(password)
	}
	if op == nil || op.Ref() == "" {
		return p.finish(ctx, c, CommandDone, "")
	}
	ctx, cancel := storing(ctx)
	defer cancel()
	_, err := p.e.db.pool().exec(ctx, `UPDATE hvpanels_command SET state=$2, ref=$3, secret=$4, message='' WHERE id=$1 AND owner=$5`,
		c.ID, string(CommandRunning), op.Ref(), c.secret, p.t.token)
	return err
}

// notDone handles a command that was not accepted. What was provably not carried out may be sent again until it expires.
func (p *providerStep) notDone(ctx context.Context, c *storedCommand, err error) verdict {
	if errors.Is(err, provisioning.ErrMaybeApplied) {
		if ferr := p.finish(ctx, c, CommandUnclear, err.Error()); ferr != nil {
			return p.retry(ferr)
		}
		return p.retryIn(err, p.e.config.Timings.Poll)
	}
	v, refused := p.failure(ctx, string(c.Verb), err)
	if refused {
		if ferr := p.finish(ctx, c, CommandFailed, v.message); ferr != nil {
			return p.retry(ferr)
		}
		return verdict{state: Changing, message: fmt.Sprintf("%s was refused", c.Verb)} // the rest of the service is as before
	}
	store, cancel := storing(ctx)
	defer cancel()
	_, serr := p.e.db.pool().exec(store, `UPDATE hvpanels_command SET state=$2, message=$3 WHERE id=$1 AND owner=$4 AND state='sending'`,
		c.ID, string(CommandPending), err.Error(), p.t.token)
	p.note(ctx, serr)
	return v
}

// finish stores the end of a command. The process that sent it may say later what another one could not know.
func (p *providerStep) finish(ctx context.Context, c *storedCommand, state CommandState, message string) error {
	ctx, cancel := storing(ctx)
	defer cancel()
	return p.e.db.tx(ctx, func(t txn) error {
		_, err := t.exec(ctx, `UPDATE hvpanels_command SET state=$2, message=$3, secret='', finished_at={now}
			WHERE id=$1 AND (state IN ('pending', 'sending', 'running') OR owner=$4)`,
			c.ID, string(state), message, p.t.token)
		if err != nil || state != CommandDone || c.secret == "" {
			return err
		}
		return storePassword(ctx, t.conn, c.Key, c.secret)
	})
}

// failCommands ends all commands that were not sent.
func (p *providerStep) failCommands(ctx context.Context, why string) {
	ctx, cancel := storing(ctx)
	defer cancel()
	_, err := p.e.db.pool().exec(ctx, `UPDATE hvpanels_command SET state='failed', message=$2, finished_at={now} WHERE key=$1 AND state='pending'`, p.svc.Key, why)
	p.note(ctx, err)
}
