// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package chance

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Dice draws all random values.
type Dice struct{ *rand.Rand }

// NewDice returns the dice of one concern. Other streams of the same seed are independent
// of it.
func NewDice(seed, stream uint64) Dice {
	return Dice{rand.New(rand.NewPCG(seed, stream))}
}

// Between draws a whole number within bounds, inclusive.
func (d Dice) Between(bounds [2]int) int {
	return bounds[0] + d.IntN(bounds[1]-bounds[0]+1)
}

// Seconds draws a duration of whole seconds within bounds, inclusive.
func (d Dice) Seconds(bounds [2]int) time.Duration {
	return time.Duration(d.Between(bounds)) * time.Second
}

// Share draws a duration between the fractions lo and hi of whole, in whole seconds.
func (d Dice) Share(whole time.Duration, lo, hi float64) time.Duration {
	part := float64(whole) * (lo + (hi-lo)*d.Float64())
	return time.Duration(part).Truncate(time.Second)
}

// Chance returns true with probability p.
func (d Dice) Chance(p float64) bool { return d.Float64() < p }

// GUID draws an identifier in the lower-case text form of a random UUID.
func (d Dice) GUID() string {
	hi, lo := d.Uint64(), d.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(0xc<<60) | 0x8<<60
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x",
		hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}

// Pick draws one element of a non-empty list.
func Pick[T any](d Dice, list []T) T { return list[d.IntN(len(list))] }

// Deck deals every card once in random order before it shuffles again, so that a short
// scenario shows every kind.
type Deck[T any] struct {
	Cards []T
	left  []T
}

// Deal draws the next card.
func (k *Deck[T]) Deal(d Dice) T {
	if len(k.left) == 0 {
		k.left = append(k.left, k.Cards...)
		d.Shuffle(len(k.left), func(i, j int) { k.left[i], k.left[j] = k.left[j], k.left[i] })
	}
	card := k.left[len(k.left)-1]
	k.left = k.left[:len(k.left)-1]
	return card
}
