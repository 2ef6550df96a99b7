package solusvm2test

func settingsOperations() []operation {
	return []operation{
		{"getSettings", "GET /settings", admins, func(c *call) answer { return ok(c.Settings) }},
		{"patchSettings", "PATCH /settings", admins, (*call).patchSettings},
	}
}

// newSettings are a few of the many settings; their names are those of the vendor's client.
func newSettings() map[string]any {
	return obj{
		"hostname": "solusvm2.test", "send_statistic": false, "limit_group": nil, "theme": obj{"primary_color": "#28AAE1", "brand_name": "SolusVM"},
		"registration": obj{"role": "client"}, "mail": obj{"host": "localhost", "port": 25, "username": "", "password": "", "from_email": "panel@solusvm2.test"},
	}
}

// patchSettings stores the members that are known, and answers all.
func (c *call) patchSettings() answer {
	f := c.form()
	f.hostname("hostname", "")
	if f.failed() {
		return f.invalid()
	}
	for name := range c.Settings {
		if f.has(name) {
			c.Settings[name] = f.in[name]
		}
	}
	return ok(c.Settings)
}
