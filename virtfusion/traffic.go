package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// TrafficPeriod is what a server used in one period. A period is about a month long and begins with the server, not with the calendar.
type TrafficPeriod struct {
	Number Int  `json:"month"` // counts from 1 at the server's creation
	Start  Time `json:"start"` // without a zone, read as UTC
	End    Time `json:"end"`

	RXBytes    Int `json:"rx"`
	TXBytes    Int `json:"tx"`
	TotalBytes Int `json:"total"`

	Limit TrafficGB `json:"limit"` // 0 is unlimited
	// Blocks are extra allowances that were added to the period.
	Blocks []TrafficBlock `json:"blocks"`
}

// TrafficBlock is an extra allowance for one period.
type TrafficBlock struct {
	ID      TrafficBlockID `json:"id"`
	Traffic TrafficGB      `json:"traffic"`
}

// Allowance is the limit with the blocks on top. unlimited says that there is none.
func (p *TrafficPeriod) Allowance() (g TrafficGB, unlimited bool) {
	if p.Limit.Unlimited() {
		return 0, true
	}
	g = p.Limit
	for _, b := range p.Blocks {
		g += b.Traffic
	}
	return g, false
}

// Traffic returns what a server used, the present period first. It asks the panel's own records and not the hypervisor, so a fleet can be read with it.
//
// Class: read.
// API: GET /servers/{serverId}/traffic
func (s *ServersService) Traffic(ctx context.Context, id ServerID, opts ...CallOption) ([]TrafficPeriod, error) {
	if err := positive("serverId", id); err != nil {
		return nil, err
	}
	type answer struct {
		Monthly []TrafficPeriod `json:"monthly"`
	}
	out, err := fetch(ctx, s.rest, rest.Call{Op: "getServerTraffic", Class: rest.Read, Method: http.MethodGet, Path: []any{"servers", id, "traffic"}},
		func(v *answer) error { return hasList(v.Monthly) }, opts)
	if err != nil {
		return nil, err
	}
	return out.Monthly, nil
}
