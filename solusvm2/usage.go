package solusvm2

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// UsageMetric is a kind of usage. The set is open.
type UsageMetric string

// The usage metrics.
const (
	UsageCPU     UsageMetric = "cpu"
	UsageNetwork UsageMetric = "network"
	UsageDisks   UsageMetric = "disks"
	UsageMemory  UsageMetric = "memory"
)

// Known reports whether the metric is one of the constants.
func (m UsageMetric) Known() bool {
	return slices.Contains([]UsageMetric{UsageCPU, UsageNetwork, UsageDisks, UsageMemory}, m)
}

// UsageItem is one point of a series. Each metric has members of its own; what is not told is absent.
type UsageItem struct {
	Time time.Time // zero when the panel's text is not a time
	// LoadAverage is of the metric cpu.
	LoadAverage provisioning.Opt[Float]
	// Derivative is of network and disks: the change since the point before. Known members are read_kb and write_kb of disks.
	Derivative map[string]Float
	// MemoryMiB is of the metric memory.
	MemoryMiB provisioning.Opt[Float]
	// Raw is the point as it came.
	Raw json.RawMessage
}

// UnmarshalJSON reads a point. A time that is a number is read as seconds since 1970, which is a guess.
func (i *UsageItem) UnmarshalJSON(b []byte) error {
	var p struct {
		Time        json.RawMessage         `json:"time"`
		LoadAverage provisioning.Opt[Float] `json:"load_average"`
		Derivative  rest.Map[Float]         `json:"derivative"`
		Memory      provisioning.Opt[Float] `json:"memory"`
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*i = UsageItem{LoadAverage: p.LoadAverage, Derivative: p.Derivative, MemoryMiB: p.Memory, Raw: json.RawMessage(strings.Clone(string(b)))}
	var seconds Int
	var at Time
	switch {
	case json.Unmarshal(p.Time, &at) == nil:
		i.Time = at.Time
	case json.Unmarshal(p.Time, &seconds) == nil && seconds > 0:
		i.Time = time.Unix(int64(seconds), 0).UTC()
	}
	return nil
}

// UsageService reads what servers used over time. What counts towards limits is in Server.Usage.
type UsageService struct{ rest *conn }

// Series reads one metric of a server, which is named by its UUID and not by its number. Which span of time the panel answers with, and how to ask for another
// one, is not documented.
//
// Class: read.
// API: GET /usage/{metric}/{uuid}
func (s *UsageService) Series(ctx context.Context, m UsageMetric, uuid string, opts ...CallOption) ([]UsageItem, error) {
	if m == "" {
		return nil, provisioning.InvalidField("metric", "is missing")
	}
	if strings.Count(uuid, "-") != 4 {
		return nil, provisioning.InvalidField("uuid", "must be a UUID: see Server.UUID")
	}
	var out envelope[struct {
		Items []UsageItem `json:"items"`
	}]
	err := s.rest.Do(ctx, rest.Call{Op: "getUsage", Class: rest.Read, Method: http.MethodGet, Path: []any{"usage", m, uuid}, Out: &out,
		Check: func() error { return hasList(out.Data.Items) }}, opts...)
	if err != nil {
		return nil, err
	}
	return out.Data.Items, nil
}
