package solusvm2test

import (
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"time"
)

func usageOperations() []operation {
	return []operation{{"getUsage", "GET /usage/{metric}/{uuid}", everyone, (*call).getUsage}}
}

const usageStep = 5 * time.Minute

// getUsage answers a point for every five minutes of the last day, made up from the uuid and the time, so that asking twice gives the same. The metric is one
// of four; the members of network points are a guess.
func (c *call) getUsage() answer {
	metric, uuid := c.r.PathValue("metric"), c.r.PathValue("uuid")
	all := c.live()
	i := slices.IndexFunc(all, func(s *server) bool { return s.UUID == uuid })
	if i < 0 || !slices.Contains([]string{"cpu", "network", "disks", "memory"}, metric) {
		return missing("ComputeResourceVm", uuid)
	}
	s := all[i]
	if a, may := c.allowed(s); !may {
		return a
	}
	items := []obj{}
	for at := c.now.Add(-24 * time.Hour).Truncate(usageStep).Add(usageStep); !at.After(c.now); at = at.Add(usageStep) {
		if at.Before(s.Created) {
			continue
		}
		h := fnv.New32a()
		_, _ = h.Write([]byte(metric + s.UUID + at.Format(time.RFC3339)))
		share := float64(h.Sum32()%1000) / 1000
		item := obj{"time": c.time(at)}
		switch metric {
		case "cpu":
			item["load_average"] = share * float64(s.Plan.VCPU)
		case "memory":
			item["memory"] = int64(share * float64(s.Plan.RAM/mebibyte))
		case "disks":
			item["derivative"] = obj{"read_kb": share * 500, "write_kb": share * 900}
		case "network":
			item["derivative"] = obj{"read_kb": share * 300, "write_kb": share * 100}
		}
		items = append(items, item)
	}
	return answer{status: http.StatusOK, body: obj{"data": obj{"items": items}}}
}

// traffic is what counts towards the limits: bytes in and out since the last reset.
func (s *server) traffic(now time.Time) [2]int64 {
	if s.Counted.Before(s.periodStart(now)) {
		return [2]int64{}
	}
	return s.Traffic
}

// periodStart is when the counters were reset last by the plan's policy.
func (s *server) periodStart(now time.Time) time.Time {
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	switch s.Plan.ResetPolicy {
	case "first_day_of_month":
		return first
	case "vm_created_day":
		start := createdDay(first, s.Created.Day())
		if start.After(now) {
			start = createdDay(first.AddDate(0, -1, 0), s.Created.Day())
		}
		return start
	}
	return time.Time{}
}

// createdDay is a day of a month, the last one where the month is shorter.
func createdDay(first time.Time, day int) time.Time {
	return first.AddDate(0, 0, min(day, first.AddDate(0, 1, -1).Day())-1)
}

// bytes is a limit of traffic in bytes; ok is false where there is none.
func (l limit) bytes() (n int64, ok bool) {
	i := slices.Index(trafficUnits, l.Unit)
	if !l.Enabled || i < 0 {
		return 0, false
	}
	return l.Limit << (10 * (i + 1)), true
}

// exceeded reports whether traffic in and out is over the limits of the plan.
func (p *plan) exceeded(traffic [2]int64) (in, out bool) {
	over := func(name string, n int64) bool {
		most, limited := p.Limits[name].bytes()
		return limited && n > most
	}
	if p.TrafficType == "total" {
		total := over("network_total_traffic", traffic[0]+traffic[1])
		return total, total
	}
	return over("network_incoming_traffic", traffic[0]), over("network_outgoing_traffic", traffic[1])
}

func (c *call) serverUsage(s *server) obj {
	traffic := s.traffic(c.now)
	in, out := s.Plan.exceeded(traffic)
	cpu, occupied := 0.0, int64(0)
	if s.Running {
		cpu = 1.5
	}
	if s.Exists {
		occupied = actualSize(s.Plan.Disk)
	}
	return obj{
		"cpu": cpu, "disk": obj{"actual_size": occupied},
		"network": obj{"incoming": obj{"value": traffic[0], "is_exceeded": in}, "outgoing": obj{"value": traffic[1], "is_exceeded": out}},
	}
}

// listServerLimits shows the limits of traffic with what was used, in the unit of each limit (guess). It has no pages.
func (c *call) listServerLimits() answer {
	s, a := c.findServer()
	if s == nil {
		return a
	}
	traffic := s.traffic(c.now)
	used := map[string]int64{
		"network_incoming_traffic": traffic[0], "network_outgoing_traffic": traffic[1], "network_total_traffic": traffic[0] + traffic[1],
	}
	return unpaged([]string{"network_incoming_traffic", "network_outgoing_traffic", "network_total_traffic"}, func(name string) obj {
		l := s.Plan.Limits[name]
		most, limited := l.bytes()
		unit := float64(int64(1) << (10 * (slices.Index(trafficUnits, l.Unit) + 1)))
		return obj{"name": strings.TrimPrefix(name, "network_"), "used": float64(used[name]) / unit, "is_exceeded": limited && used[name] > most, "limit": l}
	})
}
