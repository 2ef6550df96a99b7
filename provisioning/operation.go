package provisioning

import (
	"context"
	"time"
)

// Operation is something a panel has accepted and carries out by itself: a queue item, a task, a server being built. It holds no goroutine and may be dropped. Its
// methods are safe for concurrent use.
type Operation struct {
	instance  ID
	ref       string
	deferred  []string
	effective time.Time
	look      func(context.Context) (Look, error) // nil: finished when it was accepted
}

// OperationSpec is what a provider knows when it makes an Operation.
type OperationSpec struct {
	Instance ID
	// Ref is the provider's own text from which OpenOperation makes the same Operation again, in any process. It holds no secret.
	Ref string
	// Look looks once. Nil means that the operation was finished when the panel accepted it.
	Look func(context.Context) (Look, error)
	// Deferred lists what the panel accepted but does later, such as at the next restart.
	Deferred []string
	// Effective is when the panel will act, for operations that are accepted now and carried out later.
	Effective time.Time
}

// NewOperation is for providers.
func NewOperation(s OperationSpec) *Operation {
	return &Operation{instance: s.Instance, ref: s.Ref, look: s.Look, deferred: s.Deferred, effective: s.Effective}
}

// Instance is the server concerned.
func (o *Operation) Instance() ID { return o.instance }

// Ref is text from which OpenOperation resumes the wait in another process. It is empty when the operation was finished when it was accepted.
func (o *Operation) Ref() string { return o.ref }

// Deferred lists what was accepted but takes effect later, in the panel's words. It is empty when everything is done at the end of Wait.
func (o *Operation) Deferred() []string { return o.deferred }

// Effective is when a delayed operation (a deletion with a grace period) takes effect; zero when it is not delayed.
func (o *Operation) Effective() time.Time { return o.effective }

// Look looks once, without waiting. Errors are those of the panel's call, or ErrTaskFailed with the panel's reason.
func (o *Operation) Look(ctx context.Context) (Look, error) {
	if o.look == nil {
		return Look{Done: true, Percent: 100}, nil
	}
	return o.look(ctx)
}

// Wait waits for the end, as the function Wait does. A cancelled wait is never success; the operation goes on, and Wait can be called again.
func (o *Operation) Wait(ctx context.Context, w WaitOptions) error {
	if o.look == nil {
		return nil
	}
	return Wait(ctx, o.look, w)
}

// OperationOpener is implemented by providers whose operations can be resumed.
type OperationOpener interface {
	// OpenOperation makes the Operation again from its Ref without asking the panel. A ref that this provider did not write is an error of Kind Invalid.
	OpenOperation(ref string) (*Operation, error)
}

// OpenOperation resumes an operation from its Ref, for instance in another process.
func OpenOperation(p any, ref string) (*Operation, error) {
	c, ok := As[OperationOpener](p)
	if !ok {
		return nil, unsupported("OpenOperation")
	}
	return c.OpenOperation(ref)
}
