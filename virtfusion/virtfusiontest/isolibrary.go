package virtfusiontest

import (
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// isoImage is an image of the library.
type isoImage struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Arch        int64     `json:"arch"`
	URL         string    `json:"url"`
	Filename    string    `json:"filename"`
	Enabled     bool      `json:"enabled"`
	Global      bool      `json:"global"`
	Download    bool      `json:"download"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
}

func isoOperations() []operation {
	return []operation{
		{"getISO", "GET /media/iso/{isoId}", "", (*call).getISO},
		{"createISO", "POST /media/iso", V71, (*call).createISO},
		{"updateISO", "PUT /media/iso/{isoId}", V71, (*call).updateISO},
	}
}

func (c *call) getISO() answer {
	i := c.Managed.Images[c.id("isoId")]
	if i == nil {
		return missing("iso")
	}
	return ok(i.json())
}

// createISO answers with the image (guess).
func (c *call) createISO() answer {
	f := c.form()
	f.require("name")
	i := &isoImage{Created: c.now}
	c.checkISO(f, i)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	i.ID = c.next("iso")
	put(&c.Managed.Images, i.ID, i)
	return data(http.StatusCreated, i.json())
}

// updateISO answers with the image (guess).
func (c *call) updateISO() answer {
	i := c.Managed.Images[c.id("isoId")]
	if i == nil {
		return missing("iso")
	}
	f := c.form()
	changed := *i
	c.checkISO(f, &changed)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	*i = changed
	return ok(i.json())
}

var isoFilename = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// checkISO validates what was sent and stores it in i.
func (c *call) checkISO(f *form, i *isoImage) {
	f.named(&i.Name)
	i.URL, i.Filename = f.text("url", i.URL, 2000), f.text("filename", i.Filename, 300)
	if _, sent := f.in["description"]; sent {
		i.Description = f.text("description", "", 500)
	}
	if u, err := url.Parse(i.URL); i.URL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https") {
		f.fail("The url field must be a valid URL.")
	}
	if i.Filename != "" && !isoFilename.MatchString(i.Filename) {
		f.fail("The filename field format is invalid.")
	}
	for _, other := range c.Managed.Images {
		if i.Filename != "" && other.ID != i.ID && other.Filename == i.Filename {
			f.fail("The filename has already been taken.")
		}
	}
	i.Arch, i.Enabled, i.Global, i.Download = f.int("arch", i.Arch, 0, 2), f.bool("enabled", i.Enabled), f.bool("global", i.Global), f.bool("download", i.Download)
	if i.Enabled && (i.URL == "" || i.Filename == "") {
		f.fail("An enabled image needs url and filename.")
	}
	i.Updated = c.now
}

// named reads a name of 3 to 150 characters.
func (f *form) named(name *string) {
	*name = f.text("name", *name, 150)
	if f.has("name") && len([]rune(*name)) < 3 {
		f.fail("The name field must be at least 3 characters.")
	}
}

func (i *isoImage) json() obj {
	return obj{
		"id": i.ID, "name": i.Name, "description": textOrNull(i.Description), "arch": i.Arch, "url": i.URL, "filename": i.Filename, "enabled": i.Enabled,
		"config": "[]",
		"global": i.Global, "download": i.Download, "users": []any{}, "created": offset(i.Created), "updated": offset(i.Updated),
	}
}
