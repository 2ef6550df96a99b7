package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// maxTraffic is the largest allowance that the panel takes, in GB.
const maxTraffic TrafficGB = 999_999_998

// TrafficDirection says which traffic counts.
type TrafficDirection int64

// The directions.
const (
	TrafficInherit TrafficDirection = 0 // as the level above says
	TrafficBoth    TrafficDirection = 1
	TrafficIn      TrafficDirection = 2
	TrafficOut     TrafficDirection = 3
)

// UnmarshalJSON reads numbers and text; null is 0.
func (d *TrafficDirection) UnmarshalJSON(b []byte) error { return (*rest.Int)(d).UnmarshalJSON(b) }

// Known reports whether this package knows the direction.
func (d TrafficDirection) Known() bool { return d >= TrafficInherit && d <= TrafficOut }

// TrafficLimitAction is what happens to a server that has used its allowance.
type TrafficLimitAction int64

// The actions.
const (
	TrafficLimitNothing  TrafficLimitAction = 1
	TrafficLimitThrottle TrafficLimitAction = 2
)

// UnmarshalJSON reads numbers and text; null is 0.
func (a *TrafficLimitAction) UnmarshalJSON(b []byte) error { return (*rest.Int)(a).UnmarshalJSON(b) }

// Known reports whether this package knows the action.
func (a TrafficLimitAction) Known() bool {
	return a == TrafficLimitNothing || a == TrafficLimitThrottle
}

// TrafficPolicy says what counts as traffic and what happens when the allowance is used up. Null inherits; what is absent stays as it is. Panel 7.1: older ones
// ignore these fields without a word.
type TrafficPolicy struct {
	CountDirection *TrafficDirection                    `json:"trafficCountDirection,omitempty"`
	LimitAction    provisioning.Opt[TrafficLimitAction] `json:"trafficLimitAction,omitzero"`
	// ThrottleIn and ThrottleOut are the rates after the limit.
	ThrottleIn  provisioning.Opt[KBps] `json:"trafficLimitThrottleIn,omitzero"`
	ThrottleOut provisioning.Opt[KBps] `json:"trafficLimitThrottleOut,omitzero"`
	// NotificationPercent1 and 2 are the shares of the allowance at which the owner is told. The name of the second on the wire is inferred from the first.
	NotificationPercent1 provisioning.Opt[int] `json:"trafficLimitNotification1,omitzero"`
	NotificationPercent2 provisioning.Opt[int] `json:"trafficLimitNotification2,omitzero"`
}

func (p *TrafficPolicy) check() error {
	if p.CountDirection != nil && !p.CountDirection.Known() {
		return provisioning.InvalidField("trafficCountDirection", "must be between %d and %d", TrafficInherit, TrafficOut)
	}
	if action, ok := p.LimitAction.Get(); ok && !action.Known() {
		return provisioning.InvalidField("trafficLimitAction", "must be %d or %d", TrafficLimitNothing, TrafficLimitThrottle)
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"trafficLimitThrottleIn", int64(p.ThrottleIn.Or(0))}, {"trafficLimitThrottleOut", int64(p.ThrottleOut.Or(0))},
		{"trafficLimitNotification1", int64(p.NotificationPercent1.Or(0))}, {"trafficLimitNotification2", int64(p.NotificationPercent2.Or(0))},
	} {
		if f.value < 0 {
			return provisioning.InvalidField(f.name, "must not be below 0")
		}
	}
	return nil
}

// ModifyTrafficRequest changes a server's allowance and what happens when it is used up.
type ModifyTrafficRequest struct {
	// Traffic is the allowance of a period: 0 is unlimited, at most 999999998. Panels before 7.1 need it.
	Traffic *TrafficGB `json:"traffic,omitempty"`
	TrafficPolicy
}

func (r *ModifyTrafficRequest) check() error {
	if *r == (ModifyTrafficRequest{}) {
		return provisioning.InvalidField("traffic", "nothing to change is given")
	}
	if t := value(r.Traffic); t < 0 || t > maxTraffic {
		return provisioning.InvalidField("traffic", "must be between 0 and %d, not %d", maxTraffic, t)
	}
	return r.TrafficPolicy.check()
}

// TrafficMonth is a period of a server: about a month, counted from the server's creation.
type TrafficMonth struct {
	Number Int  `json:"month"` // from 1
	Start  Time `json:"start"` // without a zone, read as UTC
	End    Time `json:"end"`
}

// TrafficMonths are periods by their numbers as text. The panel may write an array when there is none.
type TrafficMonths map[string]TrafficMonth

// UnmarshalJSON reads an object, and what PHP writes for an empty one.
func (m *TrafficMonths) UnmarshalJSON(b []byte) error {
	return (*rest.Map[TrafficMonth])(m).UnmarshalJSON(b)
}

// AssignedTrafficBlock is an extra allowance with the period that it is for.
type AssignedTrafficBlock struct {
	TrafficBlock
	Current Bool `json:"current"` // of the present period
	TrafficMonth
	Added Time `json:"added"`
}

// TrafficBlocks are the extra allowances of a server, and the periods that can get one.
type TrafficBlocks struct {
	Assigned  []AssignedTrafficBlock `json:"assigned"`
	Available struct {
		Total   Int           `json:"total"`
		Current TrafficMonth  `json:"current"`
		Months  TrafficMonths `json:"months"`
	} `json:"available"`
}

// AddTrafficBlockRequest gives a server more traffic in one period.
type AddTrafficBlockRequest struct {
	// Month is the number of a period, from 1: one of TrafficBlocks.Available.Months. It is not a month of the calendar.
	Month  int       `json:"month"`
	Amount TrafficGB `json:"amount"` // above 0
}

// ModifyTraffic changes a server's allowance, and on panel 7.1 what happens when it is used up.
//
// Class: set.
// API: PUT /servers/{serverId}/modify/traffic
func (s *ServersService) ModifyTraffic(ctx context.Context, id ServerID, r ModifyTrafficRequest, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "modifyTraffic", Class: rest.Set, Method: http.MethodPut,
		Path: []any{"servers", id, "modify", "traffic"}, In: r}, opts...)
}

// TrafficBlocks returns the extra allowances of a server, and the periods that can get one.
//
// Class: read.
// API: GET /servers/{serverId}/traffic/blocks
func (s *ServersService) TrafficBlocks(ctx context.Context, id ServerID, opts ...CallOption) (*TrafficBlocks, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "listTrafficBlocks", Class: rest.Read, Method: http.MethodGet, Path: []any{"servers", id, "traffic", "blocks"}},
		func(v *TrafficBlocks) error { return hasList(v.Assigned) }, opts)
}

// AddTrafficBlock gives a server more traffic in one period. The panel refuses it for a server without a limit, and tells no id: TrafficBlocks does. It is sent
// once, because repeating it would give twice as much.
//
// Class: once.
// API: POST /servers/{serverId}/traffic/blocks
func (s *ServersService) AddTrafficBlock(ctx context.Context, id ServerID, r AddTrafficBlockRequest, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if r.Month < 1 {
		return provisioning.InvalidField("month", "must be above 0, not %d", r.Month)
	}
	if r.Amount < 1 {
		return provisioning.InvalidField("amount", "must be above 0, not %d", r.Amount)
	}
	return s.rest.Do(ctx, rest.Call{Op: "addTrafficBlock", Class: rest.Once, Method: http.MethodPost,
		Path: []any{"servers", id, "traffic", "blocks"}, In: r}, opts...)
}

// DeleteTrafficBlock takes an extra allowance back. One that the panel does not know is NotFound, unless an earlier attempt of this call may have taken it.
//
// Class: set.
// API: DELETE /servers/{serverId}/traffic/blocks/{blockId}
func (s *ServersService) DeleteTrafficBlock(ctx context.Context, id ServerID, block TrafficBlockID, opts ...CallOption) error {
	if err := positive("serverId", id); err != nil {
		return err
	}
	if err := positive("blockId", block); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteTrafficBlock", Class: rest.Set, Method: http.MethodDelete,
		Path: []any{"servers", id, "traffic", "blocks", block}},
		opts...)
}
