package virtfusion

import (
	"errors"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The scalars of answers. The panel is a PHP program: it writes numbers as text, booleans as 0 and 1, and times in three formats. These types read all of it, and null as the zero value. Where a
// null means something other than zero, the field is a provisioning.Opt.
type (
	// Int is a whole number: 12, "12", 12.0, "", null or false.
	Int = rest.Int
	// Float is a number.
	Float = rest.Float
	// Bool is true or false: true, 1, "1" and their opposites.
	Bool = rest.Bool
	// Text is text that the panel may also write as a number.
	Text = rest.String
	// Time is an instant. Null is the zero time. A time without a zone is read as UTC, which is a guess: such times are in the panel's own zone, and no answer names it.
	Time = rest.Time
)

// envelope is what most answers come in.
type envelope[T any] struct {
	Data T `json:"data"`
}

// positive refuses an id that cannot be one before anything is sent.
func positive[T ~int64](field string, id T) error {
	if id <= 0 {
		return provisioning.InvalidField(field, "%d is not an id: it must be above 0", int64(id))
	}
	return nil
}

// The checks below decide whether an answer is the panel's answer to the call. They run after decoding.

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

func lacks(what string) error {
	return &provisioning.Error{Kind: provisioning.Unexpected, Message: "the answer has no " + what}
}

// deleted turns the panel's own "not found" into success where an earlier attempt of the same deletion may have been carried out: that is what it looks like when it was.
func deleted(err error) error {
	if errors.Is(err, provisioning.NotFound) && errors.Is(err, provisioning.ErrMaybeApplied) {
		return nil
	}
	return err
}
