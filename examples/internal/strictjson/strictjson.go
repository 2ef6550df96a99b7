// Package strictjson decodes orders. A field that nobody knows is refused and not passed over: "ram" is a typing mistake, and no order of less memory.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

var errTrailing = errors.New("something follows after the end of the JSON")

// Value decodes one JSON value and nothing after it, without unknown fields.
func Value(b []byte, v any) error {
	if err := decode(b, v); err != nil {
		return syntaxError(err)
	}
	return nil
}

// Object decodes one JSON object into v field by field, so that an error can name the field: it is a [provisioning.Error] then, and an ordinary error where the
// text as a whole is wrong. As in encoding/json "Key" is taken for "key". What was read until then comes with the error.
func Object(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	switch t, err := d.Token(); {
	case err != nil:
		return syntaxError(err)
	case t != json.Delim('{'):
		return errors.New("must be a JSON object")
	}
	for seen := map[string]bool{}; d.More(); {
		if err := field(d, seen, v); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return syntaxError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func field(d *json.Decoder, seen map[string]bool, v any) error {
	t, err := d.Token()
	if err != nil {
		return syntaxError(err)
	}
	name, _ := t.(string) // inside an object the decoder yields nothing else here
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return syntaxError(err)
	}
	folded := strings.ToLower(name)
	switch {
	case name == "":
		return errors.New("a field has no name")
	case seen[folded]:
		return provisioning.InvalidField(name, "is there twice")
	}
	seen[folded] = true
	quoted, _ := json.Marshal(name) // a string always marshals
	if err := decode(fmt.Appendf(nil, "{%s:%s}", quoted, value), v); err != nil {
		return fieldError(name, err)
	}
	return nil
}

func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

func syntaxError(err error) error {
	if errors.Is(err, errTrailing) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return fmt.Errorf("the JSON is wrong: %w", err)
}

// fieldError words what is wrong with the value of one field, or of a field inside it.
func fieldError(name string, err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if i := strings.Index(wrong.Field, name+"."); i >= 0 {
			name = wrong.Field[i:]
		}
		return provisioning.InvalidField(name, "must be %s, and not the JSON %s", describe(wrong.Type), wrong.Value)
	}
	if unknown, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if unknown = strings.Trim(unknown, `"`); unknown != name {
			name += "." + unknown
		}
		return provisioning.InvalidField(name, "there is no such field")
	}
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		for _, messages := range e.Fields {
			return provisioning.InvalidField(name, "%s", strings.Join(messages, ", "))
		}
	}
	return provisioning.InvalidField(name, "%v", err)
}

func describe(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[provisioning.Bytes]():
		return `a size with its unit such as "2GiB"`
	case t.Kind() == reflect.Struct:
		return "an object"
	case t.Kind() == reflect.Slice:
		return "an array"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}
