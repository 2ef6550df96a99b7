package provisioning

import (
	"context"
	"slices"
	"sync"
)

// MemIntents keeps intents in memory: for tests, and for programs whose orders do not outlive them. The zero value is ready.
type MemIntents struct {
	mu      sync.Mutex
	intents map[string]Intent
	locks   map[string]chan struct{}
}

// Lock implements Intents.
func (m *MemIntents) Lock(ctx context.Context, scope string) (func(), error) {
	m.mu.Lock()
	if m.locks == nil {
		m.locks = map[string]chan struct{}{}
	}
	lock, ok := m.locks[scope]
	if !ok {
		lock = make(chan struct{}, 1)
		m.locks[scope] = lock
	}
	m.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Load implements Intents.
func (m *MemIntents) Load(_ context.Context, key string) (Intent, error) {
	if err := checkKey(key); err != nil {
		return Intent{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.intents[key]
	if !ok {
		return Intent{}, noIntent(key)
	}
	i.Before = slices.Clone(i.Before)
	return i, nil
}

// Save implements Intents.
func (m *MemIntents) Save(_ context.Context, i Intent) error {
	if err := checkKey(i.Key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.intents[i.Key]; ok {
		if err := i.MayReplace(old); err != nil {
			return err
		}
	}
	if m.intents == nil {
		m.intents = map[string]Intent{}
	}
	i.Before = slices.Clone(i.Before)
	m.intents[i.Key] = i
	return nil
}

// Open implements Intents.
func (m *MemIntents) Open(_ context.Context, scope string) ([]Intent, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var open []Intent
	for _, key := range sortedKeys(m.intents) {
		if i := m.intents[key]; i.Scope == scope && i.open() {
			i.Before = slices.Clone(i.Before)
			open = append(open, i)
		}
	}
	return open, nil
}
