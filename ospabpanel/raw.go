package ospabpanel

import (
	"context"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// Do calls an operation of the sync API that this package lacks, with the sync key. path lies below /api and may carry a query: "/vps/sync". in is sent as JSON
// unless it is nil; out receives the whole answer, or is nil where none is needed. Nothing of in is checked.
//
// GET is treated as a read. Everything else is sent once, and an unclear answer is ErrMaybeApplied.
func (s *Sync) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	call, err := rest.RawCall(method, path, in, out)
	if err != nil {
		return err
	}
	return s.rest.Do(ctx, call, opts...)
}

// Do calls an operation that this package lacks, as this user. It works as Sync.Do does.
func (c *UserClient) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	call, err := rest.RawCall(method, path, in, out)
	if err != nil {
		return err
	}
	return c.do(ctx, call, opts)
}
