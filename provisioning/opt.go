package provisioning

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// Opt is a value that may be absent, null or present. It is used where null is an instruction (clear, inherit), and where a
// panel may not have told a value. The zero Opt is absent. In structs that become JSON give it the tag omitzero: absent is then
// left out, null is sent as null.
type Opt[T any] struct {
	value T
	state optState
}

type optState uint8

const (
	optAbsent optState = iota
	optNull
	optValue
)

// Some is a present value.
func Some[T any](v T) Opt[T] { return Opt[T]{value: v, state: optValue} }

// Null is the explicit null.
func Null[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Get returns the value; ok is false when it is absent or null.
func (o Opt[T]) Get() (v T, ok bool) { return o.value, o.state == optValue }

// Or returns the value, or def when it is absent or null.
func (o Opt[T]) Or(def T) T {
	if o.state == optValue {
		return o.value
	}
	return def
}

// IsNull reports an explicit null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports absence; encoding/json uses it for omitzero.
func (o Opt[T]) IsZero() bool { return o.state == optAbsent }

// String prints the value, "null", or "" when absent.
func (o Opt[T]) String() string {
	switch o.state {
	case optValue:
		return fmt.Sprint(o.value)
	case optNull:
		return "null"
	}
	return ""
}

// Format prints the value with the verb and flags given, and otherwise what String prints, so that an Opt hides what its value hides: fmt cannot reach
// methods of a value that it finds in an unexported field.
func (o Opt[T]) Format(f fmt.State, verb rune) {
	if o.state != optValue {
		_, _ = io.WriteString(f, o.String())
		return
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), o.value)
}

// LogValue logs the value, or what String prints.
func (o Opt[T]) LogValue() slog.Value {
	if o.state != optValue {
		return slog.StringValue(o.String())
	}
	return slog.AnyValue(o.value)
}

func (o *Opt[T]) mask(depth int) bool {
	return o.state != optValue || mask(reflect.ValueOf(&o.value).Elem(), depth)
}

// MarshalJSON writes the value, or null.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state != optValue {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON reads null as Null and anything else as T.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	if string(bytes.TrimSpace(b)) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*o = Some(v)
	return nil
}
