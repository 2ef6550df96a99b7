package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// The types of this file read what PHP panels send where they mean a number, a flag, a time, a list or an object. Each writes ordinary JSON. What cannot be
// read is an error that names the kind of JSON found, never the value, and encoding/json adds the path of the field.
//
// The scalars cost nothing and can be used everywhere. List, Map and Maybe read their part of the document twice: use them for leaves that are known to change
// shape, not around whole documents.

// WrongKind is the error of an UnmarshalJSON that cannot take what it found, without the value.
func WrongKind[Want any](found []byte) error {
	return &json.UnmarshalTypeError{Value: jsonKind(found), Type: reflect.TypeFor[Want]()}
}

func wrongNumber[Want any]() error {
	return &json.UnmarshalTypeError{Value: "number that does not fit", Type: reflect.TypeFor[Want]()}
}

func jsonKind(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return "nothing"
	}
	switch b[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}

// scalar is the text of a number or string. empty is set for null, false and "", which PHP sends for "none".
func scalar(b []byte) (text []byte, empty, ok bool) {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return nil, false, false
	case b[0] == '"':
		if len(b) < 2 || b[len(b)-1] != '"' {
			return nil, false, false
		}
		text = b[1 : len(b)-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			var s string
			if json.Unmarshal(b, &s) != nil {
				return nil, false, false
			}
			text = []byte(s)
		}
		text = bytes.TrimSpace(text)
		return text, len(text) == 0, true
	case string(b) == "null", string(b) == "false":
		return nil, true, true
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		return b, false, true
	}
	return nil, false, false
}

// Int reads 12, 12.0, "12" and "12.00" as 12, and null, "" and false as 0. Fractions and what does not fit into 64 bits are errors, never rounded.
type Int int64

// UnmarshalJSON implements json.Unmarshaler.
func (i *Int) UnmarshalJSON(b []byte) error {
	text, empty, ok := scalar(b)
	if !ok {
		return WrongKind[Int](b)
	}
	if empty {
		*i = 0
		return nil
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		if n, ok = wholeNumber(text); !ok {
			if !isNumber(text) {
				return WrongKind[Int](b)
			}
			return wrongNumber[Int]()
		}
	}
	*i = Int(n)
	return nil
}

// wholeNumber reads a number that is written with a fraction of zeros or an exponent. Beyond 2^53 an exponent cannot be read exactly and is refused.
func wholeNumber(text []byte) (int64, bool) {
	if whole, fraction, found := bytes.Cut(text, []byte(".")); found && len(whole) > 0 && len(bytes.Trim(fraction, "0")) == 0 {
		n, err := strconv.ParseInt(string(whole), 10, 64)
		return n, err == nil
	}
	if !isNumber(text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// isNumber keeps out what strconv reads beyond JSON: "Inf", "nan", "0x1p4".
func isNumber(text []byte) bool {
	if len(bytes.Trim(text, "+-.0123456789eE")) > 0 {
		return false
	}
	_, err := strconv.ParseFloat(string(text), 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// Float reads 1.5, "1.5" and "1" as numbers, and null, "" and false as 0.
type Float float64

// UnmarshalJSON implements json.Unmarshaler.
func (f *Float) UnmarshalJSON(b []byte) error {
	text, empty, ok := scalar(b)
	if !ok || !empty && !isNumber(text) {
		return WrongKind[Float](b)
	}
	if empty {
		*f = 0
		return nil
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return wrongNumber[Float]()
	}
	*f = Float(v)
	return nil
}

// Bool reads true, 1, "1" and "true" as true; false, 0, "0", "false", "" and null as false.
type Bool bool

// UnmarshalJSON implements json.Unmarshaler.
func (v *Bool) UnmarshalJSON(b []byte) error {
	switch string(bytes.TrimSpace(b)) {
	case `true`, `1`, `"1"`, `"true"`:
		*v = true
	case `false`, `0`, `"0"`, `"false"`, `""`, `null`:
		*v = false
	default:
		return WrongKind[Bool](b)
	}
	return nil
}

// String reads a string, or a number as it is written, and null and false as "".
type String string

// UnmarshalJSON implements json.Unmarshaler.
func (s *String) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) > 0 && b[0] == '"':
		var text string
		if json.Unmarshal(b, &text) != nil {
			return WrongKind[String](b)
		}
		*s = String(text)
	case string(b) == "null", string(b) == "false":
		*s = ""
	case len(b) > 0 && isNumber(b):
		*s = String(b)
	default:
		return WrongKind[String](b)
	}
	return nil
}

// Time reads RFC 3339 with any offset and fraction ("2025-01-02T03:04:05.000000Z"), and naive times ("2025-01-02 03:04:05", or with a T). Naive times do not
// say their zone; they are read as UTC, which is a guess. null, "", false and MySQL's "0000-00-00 00:00:00" are the zero time. It is written as RFC 3339, the
// zero time as null.
type Time struct{ time.Time }

var timeLayouts = []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00"}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(b []byte) error {
	text, empty, ok := scalar(b)
	if !ok || !empty && bytes.TrimSpace(b)[0] != '"' {
		return WrongKind[Time](b)
	}
	if empty || bytes.HasPrefix(text, []byte("0000-00-00")) {
		t.Time = time.Time{}
		return nil
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, string(text)); err == nil {
			t.Time = at
			return nil
		}
	}
	return WrongKind[Time](b)
}

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.Time.MarshalJSON()
}

// isNone says whether b is one of the ways in which PHP writes that there is nothing.
func isNone(b []byte) bool {
	switch string(bytes.TrimSpace(b)) {
	case `null`, `false`, `""`:
		return true
	}
	return false
}

// isEmptyArray is how PHP writes an empty object.
func isEmptyArray(b []byte) bool {
	inner, ok := bytes.CutPrefix(bytes.TrimSpace(b), []byte("["))
	return ok && string(bytes.TrimSpace(inner)) == "]"
}

// List reads an array. PHP writes an array with gaps in its keys as an object ({"1": ...}): its values are then read in the order of the keys, which must be
// whole numbers. [] and {} are an empty list; null, false and "" are nil, so that "none" and "not told" can be kept apart. It is always a new slice, and is
// written as an array, never as null.
type List[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *List[T]) UnmarshalJSON(b []byte) error {
	if isNone(b) {
		*l = nil
		return nil
	}
	switch jsonKind(b) {
	case "array":
		fresh := []T{}
		if err := json.Unmarshal(b, &fresh); err != nil {
			return err
		}
		*l = fresh
	case "object":
		var byKey map[int64]T
		if err := json.Unmarshal(b, &byKey); err != nil {
			return err
		}
		fresh := make([]T, 0, len(byKey))
		for _, k := range slices.Sorted(maps.Keys(byKey)) {
			fresh = append(fresh, byKey[k])
		}
		*l = fresh
	default:
		return WrongKind[List[T]](b)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// Map reads an object, and an array, which is how PHP writes an object whose keys count from 0 and the empty one. null, false and "" are nil. It is always a
// new map, and is written as an object, never as null.
type Map[V any] map[string]V

// UnmarshalJSON implements json.Unmarshaler.
func (m *Map[V]) UnmarshalJSON(b []byte) error {
	if isNone(b) {
		*m = nil
		return nil
	}
	switch jsonKind(b) {
	case "object":
		var fresh map[string]V
		if err := json.Unmarshal(b, &fresh); err != nil {
			return err
		}
		*m = fresh
	case "array":
		var values []V
		if err := json.Unmarshal(b, &values); err != nil {
			return err
		}
		fresh := make(map[string]V, len(values))
		for i, v := range values {
			fresh[strconv.Itoa(i)] = v
		}
		*m = fresh
	default:
		return WrongKind[Map[V]](b)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (m Map[V]) MarshalJSON() ([]byte, error) {
	if m == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]V(m))
}

// Maybe reads an object that the panel may leave out: [], null, false and "" are absent, {} is present. It is written as the object, or as null.
type Maybe[T any] struct {
	value T
	ok    bool
}

// Present is a value that is there.
func Present[T any](v T) Maybe[T] { return Maybe[T]{value: v, ok: true} }

// Get returns the value and whether it is there.
func (m Maybe[T]) Get() (T, bool) { return m.value, m.ok }

// IsZero reports absence, for omitzero.
func (m Maybe[T]) IsZero() bool { return !m.ok }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Maybe[T]) UnmarshalJSON(b []byte) error {
	if isNone(b) || isEmptyArray(b) {
		*m = Maybe[T]{}
		return nil
	}
	var fresh T
	if err := json.Unmarshal(b, &fresh); err != nil {
		return err
	}
	*m = Present(fresh)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (m Maybe[T]) MarshalJSON() ([]byte, error) {
	if !m.ok {
		return []byte("null"), nil
	}
	return json.Marshal(m.value)
}
