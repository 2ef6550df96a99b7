package virtfusion

import (
	"context"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The scalars of answers. The panel is a PHP program: it writes numbers as text, booleans as 0 and 1, and times in three formats. These types read all of it,
// and null as the zero value. Where a null means something other than zero, the field is a provisioning.Opt.
type (
	// Int is an int64 that reads 12, "12" and 12.0, and null, "" and false as 0. A fraction is an error.
	Int = rest.Int
	// Float is a float64 that reads numbers and text.
	Float = rest.Float
	// Bool is a bool that reads true, 1 and "1", and their opposites.
	Bool = rest.Bool
	// Text is a string that the panel may also write as a number.
	Text = rest.String
	// Time is a struct around a time.Time. Null is the zero time. A time without a zone is read as UTC, which is a guess: such times are in the panel's own
	// zone, and no answer names it.
	Time = rest.Time
)

// envelope is what most answers come in.
type envelope[T any] struct {
	Data T `json:"data"`
}

// fetch makes a call whose answer comes in the envelope. check, which may be nil, decides whether the answer is the panel's answer to the call.
func fetch[T any](ctx context.Context, c *rest.Client, call rest.Call, check func(*T) error, opts []CallOption) (*T, error) {
	var out envelope[T]
	call.Out = &out
	if check != nil {
		call.Check = func() error { return check(&out.Data) }
	}
	if err := c.Do(ctx, call, opts...); err != nil {
		return nil, err
	}
	return &out.Data, nil
}

// fetchList is fetch for a list that the panel does not page.
func fetchList[T any](ctx context.Context, c *rest.Client, call rest.Call, opts []CallOption) ([]T, error) {
	list, err := fetch(ctx, c, call, func(list *[]T) error { return hasList(*list) }, opts)
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// positive refuses an id that cannot be one before anything is sent.
func positive[T ~int64](field string, id T) error {
	if id <= 0 {
		return provisioning.InvalidField(field, "must be above 0, not %d", int64(id))
	}
	return nil
}

// sameID wants the id that was asked for.
func sameID[T ~int64](what string, got, want T) error {
	if err := hasID(what, got); err != nil {
		return err
	}
	if got != want {
		return &provisioning.Error{Kind: provisioning.Mismatch, Message: "the answer is about another " + what + " than the one asked for"}
	}
	return nil
}

// hasID wants any id.
func hasID[T ~int64](what string, got T) error {
	if got <= 0 {
		return lacks(what + " id")
	}
	return nil
}

// hasList wants a list: an empty one will do, a missing one will not, because it would read as "there are none".
func hasList[T any](list []T) error {
	if list == nil {
		return lacks("list")
	}
	return nil
}

// hasSecret wants a secret that the call is about.
func hasSecret(what string, s provisioning.Secret) error {
	if s == "" {
		return lacks(what)
	}
	return nil
}

func lacks(what string) error {
	return &provisioning.Error{Kind: provisioning.Unexpected, Message: "the answer has no " + what}
}
