package virtfusion

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// fetchRaw makes a call whose answer nobody has published, and returns what is under "data" as it came, or all of it where there is no "data". A write is done
// when the panel says so, whatever else it says: it may answer nothing, which is nil here. A read must have data.
func fetchRaw(ctx context.Context, c *rest.Client, call rest.Call, opts []CallOption) (json.RawMessage, error) {
	data, err := fetchPartly[json.RawMessage](ctx, c, call, nil, opts)
	if err != nil {
		return nil, err
	}
	return *data, nil
}

// fetchPartly is fetchRaw where some members of the answer are likely. What does not fit T is left out and is no error, because the call has been carried out.
func fetchPartly[T any](ctx context.Context, c *rest.Client, call rest.Call, check func(*T) error, opts []CallOption) (*T, error) {
	var all json.RawMessage
	out := new(T)
	isWrite := call.Class != rest.Read
	call.Out, call.Optional = &all, isWrite
	call.Check = func() error {
		var in envelope[json.RawMessage]
		_ = json.Unmarshal(all, &in) // no object has no data either
		if len(in.Data) == 0 {
			if !isWrite {
				return lacks("data")
			}
			in.Data = all
		}
		_ = json.Unmarshal(in.Data, out) // as far as it fits
		if check != nil {
			return check(out)
		}
		return nil
	}
	if err := c.Do(ctx, call, opts...); err != nil {
		return nil, err
	}
	return out, nil
}

// readPartly is the UnmarshalJSON of an object whose shape was never seen: v takes what fits, and raw keeps all of it.
func readPartly(b []byte, v any, raw *json.RawMessage) error {
	*raw = bytes.Clone(b)
	_ = json.Unmarshal(b, v) // as far as it fits
	return nil
}

// sameIfTold is sameID for an answer that need not tell an id.
func sameIfTold[T ~int64](what string, got, want T) error {
	if got == 0 {
		return nil
	}
	return sameID(what, got, want)
}

// oneOf refuses a request that names its objects in several ways at once, or in none.
func oneOf(field string, given ...bool) error {
	n := 0
	for _, g := range given {
		if g {
			n++
		}
	}
	if n != 1 {
		return provisioning.InvalidField(field, "exactly one way to name them must be given")
	}
	return nil
}
