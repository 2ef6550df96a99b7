package solusvm2

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// The scalars of answers. The panel is a PHP program, and its versions differ: numbers may come as text, booleans as 0 and 1, and times in three formats. These
// types read all of it, and null as the zero value. Where a null means something other than zero, the field is a provisioning.Opt.
type (
	// Int is a whole number: 12, "12", 12.0, "", null or false.
	Int = rest.Int
	// Float is a number.
	Float = rest.Float
	// Bool is true or false: true, 1, "1" and their opposites.
	Bool = rest.Bool
	// Text is text that the panel may also write as a number.
	Text = rest.String
	// Time is an instant. Null is the zero time. New panels write RFC 3339; older ones a time without a zone, which is read as UTC. That is a guess, because no
	// answer names the zone.
	Time = rest.Time
)

// Ref is what an answer tells of another record: its number and name. The number is not typed, because the panel uses one shape for records of every kind.
type Ref struct {
	ID   Int    `json:"id"`
	Name string `json:"name"`
}

// SecretJSON is a part of an answer that holds secrets, kept as the JSON text it came as. It masks itself when printed; decode what Reveal returns.
type SecretJSON struct{ provisioning.Secret }

// UnmarshalJSON keeps the text.
func (s *SecretJSON) UnmarshalJSON(b []byte) error {
	s.Secret = provisioning.Secret(b)
	return nil
}

// MarshalJSON writes the text back. What is no JSON, such as the mask that provisioning.Masked puts in its place, is written as a string.
func (s SecretJSON) MarshalJSON() ([]byte, error) {
	switch {
	case s.Secret == "":
		return []byte("null"), nil
	case !json.Valid([]byte(s.Reveal())):
		return json.Marshal(s.Secret)
	}
	return []byte(s.Reveal()), nil
}

// printMasked prints what a pointer points to. The types that hold secrets and occur as pointers in others call it from their Format: for a pointer inside of a
// struct fmt knows no %s and %q, and while it complains about that it prints the struct without asking Secret for its mask. plain is the struct as a type
// without methods.
func printMasked(f fmt.State, plain any) { _, _ = fmt.Fprintf(f, fmt.FormatString(f, 'v'), plain) }

// envelope is what most answers come in.
type envelope[T any] struct {
	Data T `json:"data"`
}

// positive refuses an id that cannot be one before anything is sent.
func positive[T ~int64](field string, id T) error {
	if id <= 0 {
		return provisioning.InvalidField(field, "must be above 0, not %d", int64(id))
	}
	return nil
}

// allPositive is positive for each id of a list.
func allPositive[T ~int64](field string, ids []T) error {
	for _, id := range ids {
		if err := positive(field, id); err != nil {
			return err
		}
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

// record is a pointer to a type of answers that has an id of its own.
type record[T any] interface {
	*T
	key() (id int64, what string)
}

// existing makes a call about the record id and wants that record as the answer.
func existing[T any, K ~int64, P record[T]](ctx context.Context, c *conn, id K, call rest.Call, opts []CallOption) (*T, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out envelope[T]
	call.Out = &out
	call.Check = func() error {
		got, what := P(&out.Data).key()
		return sameID(what, got, int64(id))
	}
	if err := c.Do(ctx, call, opts...); err != nil {
		return nil, err
	}
	return &out.Data, nil
}

// created makes a call that creates a record, and wants it as the answer.
func created[T any, P record[T]](ctx context.Context, c *conn, call rest.Call, opts []CallOption) (*T, error) {
	var out envelope[T]
	call.Class, call.Method, call.Out = rest.Once, http.MethodPost, &out
	call.Check = func() error {
		got, what := P(&out.Data).key()
		return hasID(what, got)
	}
	if err := c.Do(ctx, call, opts...); err != nil {
		return nil, err
	}
	return &out.Data, nil
}

// removed deletes the record id at path/id. Whatever the panel answers with a 2xx means done.
func removed[K ~int64](ctx context.Context, c *conn, op string, id K, path string, opts []CallOption) error {
	if err := positive("id", id); err != nil {
		return err
	}
	return c.Do(ctx, rest.Call{Op: op, Class: rest.Set, Method: http.MethodDelete, Path: []any{path, id}}, opts...)
}

// accepted makes a call about the record id that the panel answers with the task it has started, or with no task at all: the result is then nil.
func accepted[K ~int64](ctx context.Context, c *conn, id K, call rest.Call, opts []CallOption) (*Task, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out startedTask
	call.Out, call.Optional = &out, true
	if err := c.Do(ctx, call, opts...); err != nil {
		return nil, err
	}
	return out.task, nil
}

// startedTask is the task in the answer of an action. Some actions answer with other things or with nothing on some versions of the panel, and their numbers
// must not be taken for that of a task: a task has an action and a status, and no UUID.
type startedTask struct{ task *Task }

func (s *startedTask) UnmarshalJSON(b []byte) error {
	var raw envelope[json.RawMessage]
	var t struct {
		Task
		UUID Text `json:"uuid"`
	}
	if json.Unmarshal(b, &raw) == nil && json.Unmarshal(raw.Data, &t) == nil && t.ID > 0 && t.Action != "" && t.Status != "" && t.UUID == "" {
		s.task = &t.Task
	}
	return nil
}
