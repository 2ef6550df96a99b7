package ospabpanel

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// Do calls an operation of the sync API that this package lacks, with the sync key. path lies below /api and carries no query: "/vps/sync". in is sent as JSON
// unless it is nil; out receives the whole answer, or is nil where none is needed. Nothing of in is checked.
//
// GET is treated as a read. Everything else is sent once, and an unclear answer is ErrMaybeApplied.
func (s *Sync) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	call, err := rawCall(method, path, in, out)
	if err != nil {
		return err
	}
	return s.rest.Do(ctx, call, opts...)
}

// Do calls an operation that this package lacks, as this user. It works as Sync.Do does.
func (c *UserClient) Do(ctx context.Context, method, path string, in, out any, opts ...CallOption) error {
	call, err := rawCall(method, path, in, out)
	if err != nil {
		return err
	}
	return c.do(ctx, call, opts)
}

func rawCall(method, path string, in, out any) (rest.Call, error) {
	call := rest.Call{Op: "do", Class: rest.Once, Method: method, In: in, Out: out}
	switch method {
	case http.MethodGet:
		call.Class = rest.Read
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return call, provisioning.InvalidField("method", "must be GET, POST, PUT, PATCH or DELETE")
	}
	if strings.ContainsAny(path, "?#") {
		return call, provisioning.InvalidField("path", "must not have a query or a fragment")
	}
	for element := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		plain, err := url.PathUnescape(element)
		if err != nil {
			return call, provisioning.InvalidField("path", "is not escaped correctly")
		}
		call.Path = append(call.Path, plain)
	}
	return call, nil
}
