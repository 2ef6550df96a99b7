package virtfusiontest

import "time"

// traffic is what was counted in one period, in bytes.
type traffic struct {
	RX int64 `json:"rx"`
	TX int64 `json:"tx"`
}

func trafficOperations() []operation {
	return []operation{{"getServerTraffic", "GET /servers/{serverId}/traffic", "", (*call).getServerTraffic}}
}

// getServerTraffic lists the periods, the present one first.
func (c *call) getServerTraffic() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	monthly := []obj{}
	for n := s.period(c.now); n >= 1; n-- {
		t := s.Traffic[n]
		monthly = append(monthly, obj{
			"month": n, "start": naive(s.periodStart(n)), "end": naive(s.periodStart(n + 1).Add(-time.Second)),
			"rx": t.RX, "tx": t.TX, "total": t.RX + t.TX, "limit": s.TrafficGB, "blocks": c.trafficBlocksJSON(s, n),
		})
	}
	return ok(obj{"monthly": monthly})
}

// periodStart is midnight of the day on which period n starts: the day of the month of the creation, or the last one of a shorter month.
func (s *server) periodStart(n int) time.Time {
	y, m, d := s.Created.UTC().Date()
	first := time.Date(y, m+time.Month(n-1), 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, min(d, first.AddDate(0, 1, -1).Day())-1)
}

// period is the number of the period that now is in, from 1.
func (s *server) period(now time.Time) int {
	n := 1
	for !now.Before(s.periodStart(n + 1)) {
		n++
	}
	return n
}

// count adds to the period of now.
func (s *server) count(now time.Time, rx, tx int64) {
	n := s.period(now)
	t := s.Traffic[n]
	s.Traffic[n] = traffic{RX: t.RX + rx, TX: t.TX + tx}
}

// AddTraffic counts traffic of a server in its present period, in bytes. A finished build has counted 310 MiB in and 4 MiB out by itself.
func (p *Panel) AddTraffic(serverID, rxBytes, txBytes int64) {
	p.change(serverID, func(s *server) { s.count(clock(), rxBytes, txBytes) })
}
