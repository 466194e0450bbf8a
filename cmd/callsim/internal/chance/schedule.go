// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package chance

import (
	"container/heap"
	"time"
)

// Action is a function to run at a simulated time.
type Action struct {
	At  time.Time
	seq int // orders actions of one time by the order of Add
	Do  func()
}

// Schedule is the heap of future actions, earliest first.
type Schedule struct {
	list []Action
	made int
}

// Add schedules do at a time.
func (a *Schedule) Add(at time.Time, do func()) {
	a.made++
	heap.Push(a, Action{At: at, seq: a.made, Do: do})
}

// Next removes and returns the earliest action. The schedule must not be empty.
func (a *Schedule) Next() Action { return heap.Pop(a).(Action) }

// When returns the time of the earliest action. The schedule must not be empty.
func (a *Schedule) When() time.Time { return a.list[0].At }

// Len implements heap.Interface.
func (a *Schedule) Len() int { return len(a.list) }

// Less implements heap.Interface.
func (a *Schedule) Less(i, j int) bool {
	x, y := a.list[i], a.list[j]
	if !x.At.Equal(y.At) {
		return x.At.Before(y.At)
	}
	return x.seq < y.seq
}

// Swap implements heap.Interface.
func (a *Schedule) Swap(i, j int) { a.list[i], a.list[j] = a.list[j], a.list[i] }

// Push implements heap.Interface.
func (a *Schedule) Push(x any) { a.list = append(a.list, x.(Action)) }

// Pop implements heap.Interface.
func (a *Schedule) Pop() any {
	last := a.list[len(a.list)-1]
	a.list[len(a.list)-1] = Action{} // releases the closure
	a.list = a.list[:len(a.list)-1]
	return last
}
