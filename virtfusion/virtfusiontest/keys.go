package virtfusiontest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

type sshKey struct {
	ID        int64     `json:"id"`
	OwnerID   int64     `json:"ownerId"`
	Name      string    `json:"name"`
	PublicKey string    `json:"publicKey"`
	Created   time.Time `json:"created"`
}

func keyOperations() []operation {
	return []operation{
		{"addSshKey", "POST /ssh_keys", "", (*call).addSSHKey},
		{"getSshKey", "GET /ssh_keys/{keyId}", "", (*call).getSSHKey},
		{"deleteSshKey", "DELETE /ssh_keys/{keyId}", "", (*call).deleteSSHKey},
		{"listUserSshKeys", "GET /ssh_keys/user/{userId}", "", (*call).listUserSSHKeys},
	}
}

// addSSHKey takes the same key twice without a word (guess), so a client has to look first.
func (c *call) addSSHKey() answer {
	f := c.form()
	f.require("userId", "name", "publicKey")
	owner := c.Users[f.count("userId", 0)]
	name, key := f.text("name", "", 255), f.text("publicKey", "", 16<<10)
	if owner == nil && f.has("userId") {
		f.fail("Invalid user")
	}
	if key != "" && !isPublicKey(key) {
		f.fail("The public key field format is invalid.")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	k := &sshKey{ID: c.next("key"), OwnerID: owner.ID, Name: name, PublicKey: key, Created: c.now}
	c.Keys[k.ID] = k
	return data(http.StatusCreated, obj{"id": k.ID, "name": k.Name, "type": "OpenSSH", "createdAt": micros(k.Created)})
}

// isPublicKey accepts the OpenSSH form: type, base64, comment.
func isPublicKey(text string) bool {
	fields := strings.Fields(text)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "ssh-") && !strings.HasPrefix(fields[0], "ecdsa-") && !strings.HasPrefix(fields[0], "sk-") {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(fields[1])
	return err == nil
}

func (c *call) getSSHKey() answer {
	k := c.Keys[c.id("keyId")]
	if k == nil {
		return missing("ssh key")
	}
	return ok(k.json())
}

func (c *call) deleteSSHKey() answer {
	k := c.Keys[c.id("keyId")]
	if k == nil {
		return missing("ssh key")
	}
	delete(c.Keys, k.ID)
	return empty(http.StatusNoContent)
}

// listUserSSHKeys has no pages.
func (c *call) listUserSSHKeys() answer {
	u := c.Users[c.id("userId")]
	if u == nil {
		return missing("user")
	}
	rows := []obj{}
	for _, k := range sorted(c.Keys) {
		if k.OwnerID == u.ID {
			rows = append(rows, k.json())
		}
	}
	return ok(rows)
}

func (k *sshKey) json() obj {
	return obj{
		"id": k.ID, "name": k.Name, "publicKey": k.PublicKey, "type": "OpenSSH", "enabled": true, "created": offset(k.Created), "updated": offset(k.Created),
	}
}
