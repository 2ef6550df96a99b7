package solusvm2test

import (
	"net/mail"
	"slices"
	"time"
)

type project struct {
	ID          int64     `json:"id"`
	OwnerID     int64     `json:"ownerId"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Default     bool      `json:"default"`
	Members     []*member `json:"members"` // besides the owner
	Created     time.Time `json:"created"`
}

// member is somebody who was invited. UserID is 0 when nobody has the e-mail address.
type member struct {
	ID     int64  `json:"id"`
	UserID int64  `json:"userId"`
	Email  string `json:"email"`
}

func (st *state) addProject(now time.Time, pr *project) *project {
	pr.ID, pr.Created = st.next("project"), now
	st.Projects[pr.ID] = pr
	return pr
}

// AddProject adds a project of a user and returns its id. Every user has a default project already.
func (p *Panel) AddProject(ownerID int64, name string) int64 {
	return view(p, func(c *call) int64 { return c.addProject(c.now, &project{OwnerID: ownerID, Name: name}).ID })
}

// defaultProject is the project that everything goes to when none is named.
func (st *state) defaultProject(userID int64) *project {
	for _, pr := range sorted(st.Projects) {
		if pr.OwnerID == userID && pr.Default {
			return pr
		}
	}
	return &project{}
}

// serversIn is how many servers a project has.
func (c *call) serversIn(projectID int64) int {
	if c.inProjects == nil {
		c.inProjects = map[int64]int{}
		for _, s := range c.Servers {
			if s.Deleted.IsZero() {
				c.inProjects[s.ProjectID]++
			}
		}
	}
	return c.inProjects[projectID]
}

func projectOperations() []operation {
	return []operation{
		{"listProjects", "GET /projects", everyone, (*call).listProjects},
		{"createProject", "POST /projects", everyone, (*call).createProject},
		{"getProject", "GET /projects/{id}", everyone, (*call).getProject},
		{"updateProject", "PUT /projects/{id}", everyone, (*call).updateProject},
		{"deleteProject", "DELETE /projects/{id}", everyone, (*call).deleteProject},
		{"listProjectMembers", "GET /projects/{id}/members", everyone, (*call).listProjectMembers},
		{"inviteProjectMember", "POST /projects/{id}/members", everyone, (*call).inviteProjectMember},
		{"removeProjectMember", "DELETE /projects/{id}/members/{memberId}", everyone, (*call).removeProjectMember},
		{"resendProjectInvite", "POST /projects/{id}/members/{memberId}/resend_invite", everyone, (*call).resendProjectInvite},
		{"listProjectPlans", "GET /projects/{id}/plans", everyone, (*call).listProjectPlans},
		{"listProjectServers", "GET /projects/{id}/servers", everyone, (*call).listProjectServers},
		{"listProjectSSHKeys", "GET /projects/{id}/ssh_keys", everyone, (*call).listProjectSSHKeys},
		{"createProjectSSHKey", "POST /projects/{id}/ssh_keys", everyone, (*call).createProjectSSHKey},
	}
}

// belongs reports whether the owner of the token may see a project.
func (c *call) belongs(pr *project) bool {
	return c.isAdmin() || pr.OwnerID == c.user.ID || slices.ContainsFunc(pr.Members, func(m *member) bool { return m.UserID == c.user.ID })
}

// findProject returns the project that the path names, or the refusal. Projects of others are forbidden, not hidden (guess).
func (c *call) findProject() (*project, answer) {
	pr := find(c, c.Projects)
	switch {
	case pr == nil:
		return nil, c.lost("Project")
	case !c.belongs(pr):
		return nil, unauthorized()
	}
	return pr, answer{}
}

// findOwnProject is findProject for what only the owner and administrators may do.
func (c *call) findOwnProject() (*project, answer) {
	pr, a := c.findProject()
	if pr != nil && pr.OwnerID != c.user.ID && !c.isAdmin() {
		return nil, unauthorized()
	}
	return pr, a
}

// listProjects shows an administrator all projects (guess), everybody else the own ones.
func (c *call) listProjects() answer {
	return page(c, slices.DeleteFunc(sorted(c.Projects), func(pr *project) bool { return !c.belongs(pr) || !c.found(pr.Name) }), c.projectJSON)
}

func (c *call) listUserProjects() answer {
	u := find(c, c.Users)
	if u == nil {
		return c.lost("User")
	}
	return page(c, slices.DeleteFunc(sorted(c.Projects), func(pr *project) bool { return pr.OwnerID != u.ID }), c.projectJSON)
}

func (c *call) createProject() answer {
	f := c.form()
	f.require("name")
	pr := &project{OwnerID: c.user.ID, Name: f.text("name", "", 255), Description: f.text("description", "", 1024)}
	if f.failed() {
		return f.invalid()
	}
	if c.user.Status != userActive {
		return unauthorized()
	}
	return made(c.projectJSON(c.addProject(c.now, pr)))
}

func (c *call) getProject() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	return ok(c.projectJSON(pr))
}

func (c *call) updateProject() answer {
	pr, a := c.findOwnProject()
	if pr == nil {
		return a
	}
	f := c.form()
	f.require("name")
	name, description := f.text("name", "", 255), f.text("description", pr.Description, 1024)
	if f.failed() {
		return f.invalid()
	}
	pr.Name, pr.Description = name, description
	return ok(c.projectJSON(pr))
}

// deleteProject keeps default projects and those with servers (guess).
func (c *call) deleteProject() answer {
	pr, a := c.findOwnProject()
	switch {
	case pr == nil:
		return a
	case pr.Default:
		return conflict("The default project cannot be deleted.")
	case c.serversIn(pr.ID) > 0:
		return conflict("The project has servers and cannot be deleted.")
	}
	delete(c.Projects, pr.ID)
	return noContent()
}

// listProjectMembers shows the owner too. Nobody has seen a member; the shape of a user is taken (guess).
func (c *call) listProjectMembers() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	return page(c, append([]*member{{ID: pr.OwnerID, UserID: pr.OwnerID, Email: c.Users[pr.OwnerID].Email}}, pr.Members...), func(m *member) obj {
		return obj{"id": m.ID, "email": m.Email}
	})
}

// inviteProjectMember lets somebody with that e-mail address in at once (guess); an invitation of somebody else stays open.
func (c *call) inviteProjectMember() answer {
	pr, a := c.findOwnProject()
	if pr == nil {
		return a
	}
	f := c.form()
	f.require("email")
	m := &member{Email: f.text("email", "", 255)}
	if _, err := mail.ParseAddress(m.Email); m.Email != "" && err != nil {
		f.fail("email", "The email must be a valid email address.")
	}
	if f.failed() {
		return f.invalid()
	}
	if c.user.Status != userActive {
		return unauthorized()
	}
	if u := c.userByEmail(m.Email); u != nil {
		m.UserID = u.ID
	}
	m.ID = c.next("member")
	pr.Members = append(pr.Members, m)
	c.Mails = append(c.Mails, Mail{Time: c.now, To: m.Email, Subject: "You are invited to a project"})
	return made(obj{})
}

// findMember returns the project and member that the path names, or the refusal.
func (c *call) findMember() (*project, *member, answer) {
	pr, a := c.findOwnProject()
	if pr == nil {
		return nil, nil, a
	}
	for _, m := range pr.Members {
		if itoa(m.ID) == c.r.PathValue("memberId") {
			return pr, m, answer{}
		}
	}
	return nil, nil, missing("ProjectMember", c.r.PathValue("memberId"))
}

func (c *call) removeProjectMember() answer {
	pr, m, a := c.findMember()
	if pr == nil {
		return a
	}
	pr.Members = slices.DeleteFunc(pr.Members, func(o *member) bool { return o == m })
	return noContent()
}

func (c *call) resendProjectInvite() answer {
	pr, m, a := c.findMember()
	if pr == nil {
		return a
	}
	c.Mails = append(c.Mails, Mail{Time: c.now, To: m.Email, Subject: "You are invited to a project"})
	return noContent()
}

func (c *call) projectJSON(pr *project) obj {
	owner := obj{"id": pr.OwnerID}
	if u := c.Users[pr.OwnerID]; u != nil {
		owner["email"], owner["status"], owner["created_at"] = u.Email, u.Status, c.time(u.Created)
	}
	return obj{
		"id": pr.ID, "name": pr.Name, "description": nullable(pr.Description), "members": len(pr.Members) + 1, "servers": c.serversIn(pr.ID),
		"is_owner": c.user != nil && c.user.ID == pr.OwnerID, "is_default": pr.Default, "owner": owner, "created_at": c.time(pr.Created),
	}
}
