package solusvm2test

import (
	"math"
	"slices"
	"strings"
)

// image is an operating system; what is installed is one of its versions.
type image struct {
	ID       int64   `json:"id"`
	Name     string  `json:"name"`
	Default  bool    `json:"default"`
	Hidden   bool    `json:"hidden"`
	Position float64 `json:"position"`
}

type imageVersion struct {
	ID             int64   `json:"id"`
	ImageID        int64   `json:"imageId"`
	Version        string  `json:"version"`
	URL            string  `json:"url"`
	Virtualization string  `json:"virtualization"`
	CloudInit      string  `json:"cloudInit"`
	Hidden         bool    `json:"hidden"`
	Deprecated     bool    `json:"deprecated"`
	NoKeys         bool    `json:"noKeys"` // SSH keys are not supported
	Position       float64 `json:"position"`
}

// ImageVersion describes a version of an operating system to add.
type ImageVersion struct {
	Image          string // name of the operating system, made when there is none: "Debian". One that begins with "Windows" has no SSH keys.
	Version        string
	Virtualization string // "kvm" when empty, or "vz"
	Hidden         bool
	Deprecated     bool
}

// AddImageVersion adds a version and returns its id, which is what servers are created and reinstalled with.
func (p *Panel) AddImageVersion(in ImageVersion) int64 {
	return view(p, func(c *call) int64 { return c.addVersion(in) })
}

func (st *state) addVersion(in ImageVersion) int64 {
	var parent *image
	for _, i := range st.Images {
		if i.Name == in.Image {
			parent = i
		}
	}
	if parent == nil {
		parent = &image{ID: st.next("image"), Name: in.Image}
		st.Images[parent.ID] = parent
	}
	v := &imageVersion{
		ID: st.next("version"), ImageID: parent.ID, Version: in.Version, Virtualization: "kvm", CloudInit: "v2", Hidden: in.Hidden, Deprecated: in.Deprecated,
		URL: "https://images.solusvm2.test/" + strings.ToLower(strings.ReplaceAll(in.Image+"-"+in.Version, " ", "-")) + ".qcow2", NoKeys: parent.windows(),
	}
	if in.Virtualization != "" {
		v.Virtualization = in.Virtualization
	}
	if parent.windows() {
		v.CloudInit = "cloudbase"
	}
	st.Versions[v.ID] = v
	return v.ID
}

func (i *image) windows() bool { return strings.HasPrefix(i.Name, "Windows") }

func imageOperations() []operation {
	return []operation{
		{"listOsImages", "GET /os_images", everyone, (*call).listImages},
		{"createOsImage", "POST /os_images", admins, (*call).createImage},
		{"getOsImage", "GET /os_images/{id}", everyone, (*call).getImage},
		{"updateOsImage", "PUT /os_images/{id}", admins, (*call).updateImage},
		{"deleteOsImage", "DELETE /os_images/{id}", admins, (*call).deleteImage},
		{"listOsImageVersions", "GET /os_images/{id}/versions", everyone, (*call).listVersions},
		{"createOsImageVersion", "POST /os_images/{id}/versions", admins, (*call).createVersion},
		{"getOsImageVersion", "GET /os_image_versions/{id}", everyone, (*call).getVersion},
		{"updateOsImageVersion", "PUT /os_image_versions/{id}", admins, (*call).updateVersion},
		{"deleteOsImageVersion", "DELETE /os_image_versions/{id}", admins, (*call).deleteVersion},
		{"listIsoImages", "GET /iso_images", everyone, (*call).listISOImages},
	}
}

// listImages shows hidden ones to administrators only (guess).
func (c *call) listImages() answer {
	return page(c, slices.DeleteFunc(sorted(c.Images), func(i *image) bool { return !c.found(i.Name) || i.Hidden && !c.isAdmin() }), c.imageJSON)
}

func (c *call) getImage() answer {
	i := find(c, c.Images)
	if i == nil {
		return c.lost("OsImage")
	}
	return ok(c.imageJSON(i))
}

func (c *call) createImage() answer {
	f := c.form()
	f.require("name")
	i := &image{Name: f.text("name", "", 255), Hidden: !f.bool("is_visible", true)}
	if f.failed() {
		return f.invalid()
	}
	i.ID = c.next("image")
	c.Images[i.ID] = i
	return made(c.imageJSON(i))
}

func (c *call) updateImage() answer {
	i := find(c, c.Images)
	if i == nil {
		return c.lost("OsImage")
	}
	f := c.form()
	f.require("name")
	name, visible := f.text("name", "", 255), f.bool("is_visible", !i.Hidden)
	if f.failed() {
		return f.invalid()
	}
	i.Name, i.Hidden = name, !visible
	return ok(c.imageJSON(i))
}

// deleteImage takes the versions along; servers keep what they have (guess).
func (c *call) deleteImage() answer {
	i := find(c, c.Images)
	if i == nil {
		return c.lost("OsImage")
	}
	for _, v := range c.versionsOf(i) {
		delete(c.Versions, v.ID)
	}
	delete(c.Images, i.ID)
	return noContent()
}

// versionsOf returns the versions of an image that the owner of the token sees.
func (c *call) versionsOf(i *image) []*imageVersion {
	return slices.DeleteFunc(sorted(c.Versions), func(v *imageVersion) bool { return v.ImageID != i.ID || v.Hidden && !c.isAdmin() })
}

// listVersions has no pages.
func (c *call) listVersions() answer {
	i := find(c, c.Images)
	if i == nil {
		return c.lost("OsImage")
	}
	return unpaged(c.versionsOf(i), c.versionJSON)
}

func (v *imageVersion) read(c *call, f *form) (plans []int64) {
	f.require("version", "url", "virtualization_type")
	v.Version, v.URL = f.text("version", v.Version, 255), f.text("url", v.URL, 2048)
	v.Virtualization = f.word("virtualization_type", v.Virtualization, "kvm", "vz")
	v.CloudInit = f.word("cloud_init_version", v.CloudInit, "v0", "v0-centos6", "v0-debian9", "v2", "v2-alpine", "v2-centos", "v2-debian10", "cloudbase")
	v.Hidden, v.Position = !f.bool("is_visible", !v.Hidden), f.float("position", v.Position, math.MaxInt32)
	return refIDs(f, "available_plans", nil, c.Plans)
}

// offer stores with which plans a version is offered, where that is given.
func (c *call) offer(f *form, v *imageVersion, plans []int64) {
	for _, p := range c.Plans {
		if f.has("available_plans") {
			p.Versions = offered(p.Versions, c.Versions, v.ID, slices.Contains(plans, p.ID))
		}
	}
}

func (c *call) createVersion() answer {
	i := find(c, c.Images)
	if i == nil {
		return c.lost("OsImage")
	}
	f := c.form()
	v := &imageVersion{ImageID: i.ID, CloudInit: "v2", NoKeys: i.windows()}
	plans := v.read(c, f)
	if f.failed() {
		return f.invalid()
	}
	v.ID = c.next("version")
	c.Versions[v.ID] = v
	c.offer(f, v, plans)
	return made(c.versionJSON(v))
}

func (c *call) getVersion() answer {
	v := find(c, c.Versions)
	if v == nil {
		return c.lost("OsImageVersion")
	}
	return ok(c.versionJSON(v))
}

func (c *call) updateVersion() answer {
	v := find(c, c.Versions)
	if v == nil {
		return c.lost("OsImageVersion")
	}
	f := c.form()
	changed := *v
	plans := changed.read(c, f)
	if f.failed() {
		return f.invalid()
	}
	*v = changed
	c.offer(f, v, plans)
	return ok(c.versionJSON(v))
}

func (c *call) deleteVersion() answer {
	v := find(c, c.Versions)
	if v == nil {
		return c.lost("OsImageVersion")
	}
	delete(c.Versions, v.ID)
	return noContent()
}

func (c *call) imageJSON(i *image) obj {
	versions := []obj{}
	for _, v := range c.versionsOf(i) {
		versions = append(versions, c.versionJSON(v))
	}
	return obj{"id": i.ID, "name": i.Name, "icon": nil, "versions": versions, "is_default": i.Default, "is_visible": !i.Hidden, "position": i.Position}
}

func (c *call) versionJSON(v *imageVersion) obj {
	plans := []obj{}
	for _, p := range sorted(c.Plans) {
		if offers(p.Versions, v.ID) && p.Virtualization == v.Virtualization {
			plans = append(plans, ref(p.ID, p.Name))
		}
	}
	return obj{
		"id": v.ID, "os_image_id": v.ImageID, "version": v.Version, "url": v.URL, "virtualization_type": v.Virtualization, "cloud_init_version": v.CloudInit,
		"is_visible": !v.Hidden, "is_deprecated": v.Deprecated, "is_ssh_keys_supported": !v.NoKeys, "position": v.Position, "available_plans": plans,
	}
}

// isoImages are the same on every panel.
var isoImages = map[int64]string{1: "SystemRescue 11", 2: "Debian 12 installer"}

func (c *call) listISOImages() answer {
	return page(c, []int64{1, 2}, func(id int64) obj { return ref(id, isoImages[id]) })
}
