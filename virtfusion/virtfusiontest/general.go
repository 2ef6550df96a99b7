package virtfusiontest

import "net/http"

func generalOperations() []operation {
	return []operation{
		{"testConnection", "GET /connect", "", (*call).testConnection},
		{"getControlStatus", "GET /status", V71, (*call).getControlStatus},
	}
}

// testConnection answers an empty array, not an object.
func (c *call) testConnection() answer { return answer{status: http.StatusOK, body: []any{}} }

// getControlStatus answers 503 with the same body when a check fails. The names of the members are guesses; only their subjects are documented.
func (c *call) getControlStatus() answer {
	status := http.StatusOK
	if c.Unhealthy {
		status = http.StatusServiceUnavailable
	}
	check := func(healthy bool) obj { return obj{"ok": healthy} }
	return data(status, obj{
		"version": c.panel.version + ".0", "ok": !c.Unhealthy, "database": check(true), "cache": check(true), "scheduledTasks": check(true),
		"cron": check(!c.Unhealthy), "hypervisors": obj{"alerts": []any{}},
	})
}

// SetControlHealthy lets GET /status report a failed check, which it answers with status 503.
func (p *Panel) SetControlHealthy(healthy bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Unhealthy = !healthy
}

// Forbid takes the permission for operations from the token: they answer 403.
func (p *Panel) Forbid(ops ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, op := range ops {
		p.state.Forbidden[op] = true
	}
}
