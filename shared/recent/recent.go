// Package recent has a map of bounded size, which forgets what was not used for the longest time.
//
// It must import nothing but the standard library.
package recent

import "iter"

// Map keeps at least the entries that were used last, as many as it was made for, and at most twice as many. It is not
// safe for concurrent use.
//
// It has two halves. What is used moves into the new half. When the new half is full, it becomes the old one, and the
// old one is dropped.
type Map[K comparable, V any] struct {
	half     int
	new, old map[K]V
}

// New returns a map that keeps the given number of entries.
func New[K comparable, V any](entries int) *Map[K, V] { return &Map[K, V]{half: entries} }

// Get returns the value of the key, and counts as a use of it.
func (m *Map[K, V]) Get(key K) (V, bool) {
	value, ok := m.new[key]
	if ok {
		return value, true
	}
	if value, ok = m.old[key]; ok {
		m.Put(key, value)
	}
	return value, ok
}

// Put sets the value of the key, and counts as a use of it.
func (m *Map[K, V]) Put(key K, value V) {
	if _, known := m.new[key]; m.new == nil || !known && len(m.new) >= m.half {
		m.new, m.old = make(map[K]V), m.new
	}
	m.new[key] = value
}

// Delete removes the key.
func (m *Map[K, V]) Delete(key K) {
	delete(m.new, key)
	delete(m.old, key)
}

// Keys returns the keys. A key that was used in both halves comes twice.
func (m *Map[K, V]) Keys() iter.Seq[K] {
	return func(yield func(K) bool) {
		for _, half := range []map[K]V{m.new, m.old} {
			for key := range half {
				if !yield(key) {
					return
				}
			}
		}
	}
}

// Len returns how much memory the map takes, in entries. An entry in both halves counts twice.
func (m *Map[K, V]) Len() int { return len(m.new) + len(m.old) }
