package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vksync/vksync/reconcile/plan"
	"github.com/vksync/vksync/reconcile/supervisor"
	"github.com/vksync/vksync/schema"
)

// held is why a plan may not be run now; empty when it may. Approving a plan
// approves what is left of it as well, after a restart and when the run had to be
// begun anew, until its revision is done.
func (k *keeper) held(ctx context.Context, p *plan.Plan, r *Revision) (string, error) {
	approved := ""
	if k.Policy.Mode == schema.ModeApproval {
		digest, err := k.approved(ctx, p, r)
		if err != nil {
			return "", err
		}
		approved = digest
	}
	return hold(k.Policy, time.Now(), p.Digest(), approved), nil
}

// approved is the digest that an operator has approved, which is that of p when
// all that p does belongs to a plan that was.
func (k *keeper) approved(ctx context.Context, p *plan.Plan, r *Revision) (string, error) {
	if k.ledger.grants(p, r.Commit.Hash) {
		return p.Digest(), nil
	}
	digest, err := k.ledger.approval(ctx)
	if err != nil || digest != p.Digest() {
		return digest, err
	}
	k.log.Info("approved", "plan", short(digest))
	k.ledger.grant(p, r.Commit.Hash)
	return digest, k.ledger.write(ctx, nil)
}

// ErrNotPending is of an approval of what does not wait for one.
var ErrNotPending = errors.New("nothing was approved")

// Approve approves the plan that waits, in the place in which an operator does it:
// the annotation on the loop's ConfigMap. So it holds after a restart as well, and
// is taken up at the next look. It is ErrNotPending for any other plan, since
// what was seen and approved is not what would be done.
func (l *Loop) Approve(ctx context.Context, digest string) error {
	l.mu.Lock()
	state, pending, engine := l.status.State, l.status.Pending, l.engine
	l.mu.Unlock()
	switch {
	case pending == "":
		return fmt.Errorf("%w: no plan of source %s waits for approval on %s, which is %s", ErrNotPending, l.Source, l.Supervisor, state)
	case digest != pending:
		return fmt.Errorf("%w: the plan that waits is %s, not %s: look at it again", ErrNotPending, short(pending), short(digest))
	case engine == nil:
		return fmt.Errorf("%w: the Supervisor %s is not connected at the moment", ErrNotPending, l.Supervisor)
	}
	if err := engine.kube.Annotate(ctx, ledgerAddr(l.Namespace, l.Source), AnnotationApprove, digest); err != nil {
		return err
	}
	l.log.Info("an approval was asked for", "plan", short(digest))
	return nil
}

// granted says whether the plan that is held has been approved meanwhile.
func (k *keeper) granted(ctx context.Context) bool {
	if k.pending == "" || k.Policy.Mode != schema.ModeApproval {
		return false
	}
	digest, err := k.ledger.approval(ctx)
	return err == nil && digest == k.pending // the next turn meets the error again
}

// recall reads the ledger once.
func (k *keeper) recall(ctx context.Context) error {
	if k.recalled {
		return nil
	}
	if err := k.ledger.read(ctx); err != nil {
		return k.withoutLedger(err)
	}
	k.recalled = true
	return nil
}

// remember writes the ledger.
func (k *keeper) remember(ctx context.Context, waiting *plan.Plan) error {
	if err := k.ledger.write(ctx, waiting); err != nil {
		return k.withoutLedger(err)
	}
	return nil
}

// withoutLedger says whether the loop can go on when its ConfigMap cannot be read
// or written. Only who waits for approval cannot; after a restart the others take
// what differs for a part of the revision that was not done yet.
func (k *keeper) withoutLedger(err error) error {
	class := supervisor.ClassOf(err)
	lasting := class == supervisor.Denied || class == supervisor.NotFound || class == supervisor.NotServed
	if k.Policy.Mode == schema.ModeApproval || !lasting {
		return err
	}
	if !k.ledgerless {
		k.log.Warn("the state is not kept: drift cannot be told from a new revision after a restart", "configmap", k.ledger.addr().String(), "error", err)
	}
	k.recalled, k.ledgerless = true, true
	return nil
}
