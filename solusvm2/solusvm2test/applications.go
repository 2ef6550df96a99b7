package solusvm2test

import (
	"encoding/json"
	"slices"
)

type application struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	Template  string `json:"template"` // of the user data
	Schema    string `json:"schema"`   // JSON Schema of the input, as text
	Hidden    bool   `json:"hidden"`
	BuiltIn   bool   `json:"builtIn"`
	CloudInit string `json:"cloudInit"`
	LinkType  string `json:"linkType"`
	Link      string `json:"link"`
}

// Application describes an application to add.
type Application struct {
	Name     string
	Required []string // names of inputs that application_data must have
}

// AddApplication adds an application and returns its id.
func (p *Panel) AddApplication(in Application) int64 {
	return view(p, func(c *call) int64 { return c.addApplication(in) })
}

func (st *state) addApplication(in Application) int64 {
	properties := obj{}
	for _, name := range in.Required {
		properties[name] = obj{"type": "string"}
	}
	schema, _ := json.Marshal(obj{"type": "object", "required": append([]string{}, in.Required...), "properties": properties})
	a := &application{ID: st.next("application"), Name: in.Name, Schema: string(schema), BuiltIn: true, CloudInit: "v2", LinkType: "none"}
	st.Applications[a.ID] = a
	return a.ID
}

func applicationOperations() []operation {
	return []operation{
		{"listApplications", "GET /applications", everyone, (*call).listApplications},
		{"createApplication", "POST /applications", admins, (*call).createApplication},
	}
}

func (c *call) listApplications() answer {
	return page(c, slices.DeleteFunc(sorted(c.Applications), func(a *application) bool { return a.Hidden && !c.isAdmin() }), c.applicationJSON)
}

func (c *call) createApplication() answer {
	f := c.form()
	f.require("name")
	link := f.object("login_link")
	a := &application{
		Name: f.text("name", "", 255), URL: f.text("url", "", 2048), Template: f.text("user_data_template", "", 64<<10), Hidden: !f.bool("is_visible", true),
		Schema: f.text("json_schema", "{}", 64<<10), CloudInit: f.text("cloud_init_version", "v2", 32),
		LinkType: link.word("type", "none", "none", "url", "js_code", "info"), Link: link.text("content", "", 64<<10),
	}
	if !json.Valid([]byte(a.Schema)) {
		f.fail("json_schema", "The json schema must be a valid JSON string.")
	}
	plans := refIDs(f, "available_plans", nil, c.Plans)
	if f.failed() {
		return f.invalid()
	}
	a.ID = c.next("application")
	c.Applications[a.ID] = a
	for _, p := range c.Plans {
		if f.has("available_plans") {
			p.Applications = offered(p.Applications, c.Applications, a.ID, slices.Contains(plans, p.ID))
		}
	}
	return made(c.applicationJSON(a))
}

// lacks names the required inputs that data does not have.
func (a *application) lacks(data map[string]any) []string {
	var schema struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal([]byte(a.Schema), &schema) // checked when it was stored
	return slices.DeleteFunc(schema.Required, func(name string) bool { return data[name] != nil && data[name] != "" })
}

func (c *call) applicationJSON(a *application) obj {
	plans := []obj{}
	for _, p := range sorted(c.Plans) {
		if offers(p.Applications, a.ID) {
			plans = append(plans, ref(p.ID, p.Name))
		}
	}
	return obj{
		"id": a.ID, "name": a.Name, "icon": nil, "url": a.URL, "cloud_init_version": a.CloudInit, "user_data_template": a.Template,
		"login_link": obj{"type": a.LinkType, "content": a.Link}, "json_schema": a.Schema, "is_default": false, "is_visible": !a.Hidden, "is_buildin": a.BuiltIn,
		"available_plans": plans,
	}
}
