package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
)

// order is one order of an order file: what CreateRequest takes, with names allowed for plan, image and location, and who the customer is on the OSPAB panel.
type order struct {
	provisioning.CreateRequest
	OSPAB struct {
		UserID ospabpanel.PanelUserID `json:"userId"` // the panel's own id of the customer, not the main site's
	} `json:"ospab"`
}

// builtInOrder is for simulated panels. The customer has number 123 on the main site and number 5 on the OSPAB panel.
func builtInOrder(image string) string {
	return `{
	"key": "order-1", "hostname": "web-1.example.com",
	"plan": "` + simulatedPlan + `", "image": "` + image + `", "location": "` + simulatedLocation + `",
	"owner": {"ref": "123", "name": "Ann Example", "email": "ann@example.com"},
	"ipv4": 1, "ipv6": true,
	"ospab": {"userId": 5}
}`
}

// readOrders reads an order file. Every error is one line that says which order and which field is meant.
func readOrders(path string) ([]order, error) {
	b, err := os.ReadFile(path) // #nosec G304 -- the user names the file
	if err != nil {
		return nil, err
	}
	orders, err := parseOrders(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return orders, nil
}

// parseOrders takes one order or an array of orders.
func parseOrders(b []byte) ([]order, error) {
	raw := []json.RawMessage{b}
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		if err := strict(b, &raw); err != nil {
			return nil, syntaxError(err)
		}
	}
	if len(raw) == 0 {
		return nil, errors.New("holds no order")
	}
	orders := make([]order, len(raw))
	numbers, users := map[string]int{}, map[string]ospabpanel.PanelUserID{}
	for i, r := range raw {
		o, err := parseOrder(r)
		if err == nil {
			err = o.Validate()
		}
		if err != nil {
			return nil, orderError(i, o.Key, err)
		}
		if before, ok := numbers[o.Key]; ok {
			return nil, orderError(i, o.Key, fmt.Errorf("key: order %d has the same", before+1))
		}
		if user := users[o.Owner.Ref]; user != 0 && o.OSPAB.UserID != 0 && user != o.OSPAB.UserID {
			return nil, orderError(i, o.Key, fmt.Errorf("ospab.userId: another order of the same owner says %d", user))
		}
		orders[i], numbers[o.Key], users[o.Owner.Ref] = o, i, o.OSPAB.UserID
	}
	return orders, nil
}

// orderError names the order by its place in the file and, if it got that far, its key.
func orderError(i int, key string, err error) error {
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		for field, messages := range e.Fields {
			err = fmt.Errorf("%s: %s", field, strings.Join(messages, ", "))
		}
	}
	if key == "" {
		return fmt.Errorf("order %d: %w", i+1, err)
	}
	return fmt.Errorf("order %d (%.40q): %w", i+1, key, err)
}

// parseOrder decodes field by field, so that an error can name the field. What it has read so far comes with the error.
func parseOrder(b []byte) (o order, err error) {
	_ = json.Unmarshal(b, &struct{ Key *string }{&o.Key}) // errors name the order by its key, wherever in the object it stands
	d := json.NewDecoder(bytes.NewReader(b))
	switch t, err := d.Token(); {
	case err != nil:
		return o, syntaxError(err)
	case t != json.Delim('{'):
		return o, errors.New("must be a JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return o, syntaxError(err)
		}
		name, _ := t.(string) // inside an object the decoder yields nothing else here
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return o, syntaxError(err)
		}
		if seen[strings.ToLower(name)] {
			return o, fmt.Errorf("%s: is there twice", name)
		}
		seen[strings.ToLower(name)] = true
		quoted, _ := json.Marshal(name) // a string always marshals
		if err := strict(fmt.Appendf(nil, "{%s:%s}", quoted, value), &o); err != nil {
			return o, fieldError(name, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return o, syntaxError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, errTrailing
	}
	return o, nil
}

var errTrailing = errors.New("something follows after the end of the JSON")

// strict decodes one JSON value and nothing after it, without unknown fields.
func strict(b []byte, v any) error {
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

// fieldError words what went wrong in the value of one field.
func fieldError(name string, err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if i := strings.Index(wrong.Field, name+"."); i >= 0 {
			name = wrong.Field[i:]
		}
		return fmt.Errorf("%s: must be %s, and not the JSON %s", name, describe(wrong.Type), wrong.Value)
	}
	if unknown, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if unknown = strings.Trim(unknown, `"`); unknown != name {
			name += "." + unknown
		}
		return fmt.Errorf("%s: there is no such field", name)
	}
	if e, ok := errors.AsType[*provisioning.Error](err); ok {
		for _, messages := range e.Fields {
			return fmt.Errorf("%s: %s", name, strings.Join(messages, ", "))
		}
	}
	return fmt.Errorf("%s: %w", name, err)
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
