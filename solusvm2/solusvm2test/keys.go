package solusvm2test

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

type sshKey struct {
	ID      int64     `json:"id"`
	UserID  int64     `json:"userId"`
	Name    string    `json:"name"`
	Body    string    `json:"body"`
	Created time.Time `json:"created"`
}

func keyOperations() []operation {
	return []operation{
		{"listSSHKeys", "GET /ssh_keys", admins, (*call).listSSHKeys},
		{"createSSHKey", "POST /ssh_keys", admins, (*call).createSSHKey},
		{"getSSHKey", "GET /ssh_keys/{id}", admins, (*call).getSSHKey},
		{"deleteSSHKey", "DELETE /ssh_keys/{id}", admins, (*call).deleteSSHKey},
	}
}

func (c *call) listSSHKeys() answer {
	return page(c, slices.DeleteFunc(sorted(c.Keys), func(k *sshKey) bool { return !c.found(k.Name) }), c.keyJSON)
}

// listProjectSSHKeys shows the keys of the owner and the members (guess).
func (c *call) listProjectSSHKeys() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	return page(c, slices.DeleteFunc(sorted(c.Keys), func(k *sshKey) bool { return !pr.usable(k) || !c.found(k.Name) }), c.keyJSON)
}

// usable reports whether a key belongs to somebody of the project.
func (pr *project) usable(k *sshKey) bool {
	return k.UserID == pr.OwnerID || slices.ContainsFunc(pr.Members, func(m *member) bool { return m.UserID == k.UserID })
}

// createSSHKey takes the text as "body" and needs the owner. The same key twice is taken without a word (guess), so a client has to look first.
func (c *call) createSSHKey() answer {
	f := c.form()
	f.require("name", "body", "user_id")
	return c.addKey(f, "body", refID(f, "user_id", 0, c.Users))
}

// createProjectSSHKey takes the text under either of its two names, because nobody knows which is right.
func (c *call) createProjectSSHKey() answer {
	pr, a := c.findProject()
	if pr == nil {
		return a
	}
	f := c.form()
	f.require("name")
	member := "body"
	if f.has("public_key") {
		member = "public_key"
	}
	f.require(member)
	owner := c.user.ID
	if c.isAdmin() {
		owner = refID(f, "user_id", pr.OwnerID, c.Users)
	}
	return c.addKey(f, member, owner)
}

func (c *call) addKey(f *form, member string, userID int64) answer {
	k := &sshKey{UserID: userID, Name: f.text("name", "", 255), Body: f.text(member, "", 16<<10), Created: c.now}
	if k.Body != "" && !isPublicKey(k.Body) {
		f.fail(member, "The %s is not a valid SSH public key.", words(member))
	}
	if f.failed() {
		return f.invalid()
	}
	k.ID = c.next("key")
	c.Keys[k.ID] = k
	return made(c.keyJSON(k))
}

// isPublicKey accepts one line of the OpenSSH form: type, base64, comment.
func isPublicKey(text string) bool {
	fields := strings.Fields(text)
	if len(fields) < 2 || strings.ContainsAny(text, "\r\n") {
		return false
	}
	if !strings.HasPrefix(fields[0], "ssh-") && !strings.HasPrefix(fields[0], "ecdsa-") && !strings.HasPrefix(fields[0], "sk-") {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(fields[1])
	return err == nil
}

func (c *call) getSSHKey() answer {
	k := find(c, c.Keys)
	if k == nil {
		return c.lost("SshKey")
	}
	return ok(c.keyJSON(k))
}

func (c *call) deleteSSHKey() answer {
	k := find(c, c.Keys)
	if k == nil {
		return c.lost("SshKey")
	}
	delete(c.Keys, k.ID)
	return noContent()
}

// keyJSON does not tell whose key it is.
func (c *call) keyJSON(k *sshKey) obj {
	if c.panel.old {
		return obj{"id": k.ID, "name": k.Name, "public_key": k.Body}
	}
	return obj{"id": k.ID, "name": k.Name, "body": k.Body}
}
