package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hvpanels/hvpanels/examples/internal/strictjson"
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
		if err := strictjson.Value(b, &raw); err != nil {
			return nil, err
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

// parseOrder reads one order. What it has read so far comes with the error.
func parseOrder(b []byte) (o order, err error) {
	_ = json.Unmarshal(b, &struct{ Key *string }{&o.Key}) // errors name the order by its key, wherever in the object it stands
	err = strictjson.Object(b, &o)
	return o, err
}
