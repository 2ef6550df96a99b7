package virtfusiontest

import "cmp"

// templateGroup holds the operating systems of one family. The group of the rest has id 0.
type templateGroup struct {
	ID        int64       `json:"id"`
	Name      string      `json:"name"`
	Templates []*template `json:"templates"`
}

type template struct {
	ID       int64 `json:"id"`
	Template `json:"template"`
}

// Template describes an operating system to add.
type Template struct {
	Group       string `json:"group"` // "Other" is group 0
	Name        string `json:"name"`
	Version     string `json:"version"`
	Variant     string `json:"variant"` // "" is shown as null
	Type        string `json:"type"`    // linux when empty; unix, windows
	MinMemoryMB int64  `json:"minMemoryMB"`
}

// AddTemplate adds an operating system, offered to every package with enough memory, and returns its id.
func (p *Panel) AddTemplate(t Template) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.addTemplate(t)
}

func (st *state) addTemplate(in Template) int64 {
	t := &template{ID: st.next("template"), Template: in}
	t.Type = cmp.Or(t.Type, "linux")
	for _, g := range st.TemplateGroups {
		if g.Name == in.Group {
			g.Templates = append(g.Templates, t)
			return t.ID
		}
	}
	g := &templateGroup{Name: in.Group, Templates: []*template{t}}
	if in.Group != "Other" {
		g.ID = st.next("template group")
	}
	st.TemplateGroups = append(st.TemplateGroups, g)
	return t.ID
}

// template finds an operating system, nil when there is none.
func (st *state) template(id int64) *template {
	for _, g := range st.TemplateGroups {
		for _, t := range g.Templates {
			if t.ID == id {
				return t
			}
		}
	}
	return nil
}

func templateOperations() []operation {
	return []operation{
		{"listPackageTemplates", "GET /media/templates/fromServerPackageSpec/{serverPackageId}", "", (*call).listPackageTemplates},
		{"listServerTemplates", "GET /servers/{serverId}/templates", "", (*call).listServerTemplates},
	}
}

func (c *call) listPackageTemplates() answer {
	p := c.Packages[c.id("serverPackageId")]
	if p == nil {
		return missing("package")
	}
	return c.templatesFor(p.MemoryMB)
}

func (c *call) listServerTemplates() answer {
	s, a := c.find()
	if s == nil {
		return a
	}
	return c.templatesFor(s.MemoryMB)
}

func (c *call) templatesFor(memoryMB int64) answer {
	groups := []obj{}
	for _, g := range c.TemplateGroups {
		rows := []obj{}
		for _, t := range g.Templates {
			if t.MinMemoryMB <= memoryMB {
				rows = append(rows, t.json())
			}
		}
		if len(rows) > 0 {
			groups = append(groups, obj{"name": g.Name, "description": g.Name + " images.", "icon": "linux_logo.png", "templates": rows, "id": g.ID})
		}
	}
	return ok(groups)
}

func (t *template) json() obj {
	o := obj{
		"id": t.ID, "name": t.Name, "version": t.Version, "variant": nil, "arch": 1, "description": t.Name + " with few packages.<br>", "icon": "linux_logo.png",
		"eol": false, "eol_date": "2031-04-30 00:00:00", "eol_warning": false, "deploy_type": 1, "vnc": t.Type == "windows", "type": t.Type,
	}
	if t.Variant != "" {
		o["variant"] = t.Variant
	}
	return o
}
