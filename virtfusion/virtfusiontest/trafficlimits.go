package virtfusiontest

import (
	"net/http"
	"strconv"
	"time"
)

// trafficBlock is an extra allowance of a server for one period.
type trafficBlock struct {
	ID       int64     `json:"id"`
	ServerID int64     `json:"serverId"`
	Month    int       `json:"month"`
	GB       int64     `json:"gb"`
	Added    time.Time `json:"added"`
}

// offeredPeriods is how many periods the list of blocks offers, from the first one on. The vendor's example shows 25 of a new server.
const offeredPeriods = 25

func trafficLimitOperations() []operation {
	return []operation{
		{"modifyTraffic", "PUT /servers/{serverId}/modify/traffic", "", (*call).modifyTraffic},
		{"listTrafficBlocks", "GET /servers/{serverId}/traffic/blocks", "", (*call).listTrafficBlocks},
		{"addTrafficBlock", "POST /servers/{serverId}/traffic/blocks", "", (*call).addTrafficBlock},
		{"deleteTrafficBlock", "DELETE /servers/{serverId}/traffic/blocks/{blockId}", "", (*call).deleteTrafficBlock},
	}
}

// modifyTraffic checks the policy of 7.1 and keeps nothing of it, because no answer shows it.
func (c *call) modifyTraffic() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	if c.panel.version < V71 {
		f.require("traffic")
	} else {
		f.int("trafficCountDirection", 0, 0, 3)
		f.int("trafficLimitAction", 1, 1, 2)
		f.count("trafficLimitThrottleIn", 0)
		f.count("trafficLimitThrottleOut", 0)
		f.count("trafficLimitNotification1", 0)
		f.count("trafficLimitNotification2", 0)
	}
	gb := f.int("traffic", s.TrafficGB, 0, 999_999_998)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	s.TrafficGB, s.Updated = gb, c.now
	return empty(http.StatusCreated)
}

func (s *server) periodJSON(n int) obj {
	return obj{"month": n, "start": naive(s.periodStart(n)), "end": naive(s.periodStart(n + 1).Add(-time.Second))}
}

// listTrafficBlocks offers the periods from the present one on, though the example, of a new server, would also fit all periods.
func (c *call) listTrafficBlocks() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	now := s.period(c.now)
	assigned := []obj{}
	for _, b := range sorted(c.Net.TrafficBlocks) {
		if b.ServerID == s.ID {
			o := s.periodJSON(b.Month)
			o["id"], o["current"], o["traffic"], o["added"] = b.ID, b.Month == now, b.GB, micros(b.Added)
			assigned = append(assigned, o)
		}
	}
	months := obj{}
	for n := now; n < now+offeredPeriods; n++ {
		months[strconv.Itoa(n)] = s.periodJSON(n)
	}
	return ok(obj{"assigned": assigned, "available": obj{"total": len(months), "current": s.periodJSON(now), "months": months}})
}

// addTrafficBlock is refused on a server without a limit. Wordings are guesses.
func (c *call) addTrafficBlock() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	f := c.form()
	f.require("month", "amount")
	now := int64(s.period(c.now))
	month, gb := f.int("month", 0, now, now+offeredPeriods-1), f.int("amount", 0, 1, 999_999_998)
	if s.TrafficGB == 0 {
		f.fail("Traffic blocks cannot be added to unlimited traffic")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	b := &trafficBlock{ID: c.next("traffic block"), ServerID: s.ID, Month: int(month), GB: gb, Added: c.now}
	put(&c.Net.TrafficBlocks, b.ID, b)
	return empty(http.StatusCreated)
}

func (c *call) deleteTrafficBlock() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	b := c.Net.TrafficBlocks[c.id("blockId")]
	if b == nil || b.ServerID != s.ID {
		return missing("traffic block")
	}
	delete(c.Net.TrafficBlocks, b.ID)
	return empty(http.StatusNoContent)
}

// trafficBlocksJSON are the blocks of one period as the traffic of a server shows them.
func (c *call) trafficBlocksJSON(s *server, month int) []obj {
	rows := []obj{}
	for _, b := range sorted(c.Net.TrafficBlocks) {
		if b.ServerID == s.ID && b.Month == month {
			rows = append(rows, obj{"id": b.ID, "traffic": b.GB})
		}
	}
	return rows
}
