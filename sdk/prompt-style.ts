/**
 * The prompt's looks. Light or dark as the page is: the two colours of each pair follow its `color-scheme`, and the
 * visitor's own wish where the page has none. Both answers look alike: none is pushed.
 */
export const promptStyle: string = `
:host{all:initial;color-scheme:inherit;display:block;font:1rem/1.45 var(--nearhand-font,system-ui,sans-serif)}
:host([hidden]){display:none}
:host([adaptive]){color-scheme:light dark}
:host([floating]){position:fixed;z-index:2147483647;inset-inline-start:max(12px,env(safe-area-inset-left));bottom:max(12px,env(safe-area-inset-bottom));width:min(27rem,calc(100% - 24px))}
section{box-sizing:border-box;display:flex;flex-wrap:wrap;align-items:center;gap:.9em 1.8em;padding:var(--nearhand-padding,1.1em 1.2em);max-height:calc(100vh - 24px);overflow:auto;
background:#fff;background:var(--nearhand-background,light-dark(#fff,#1d2125));
color:#1b1f23;color:var(--nearhand-color,light-dark(#1b1f23,#eceff1));
border:1px solid #868e96;border-color:var(--nearhand-border,light-dark(#868e96,#6c757d));
border-radius:var(--nearhand-radius,12px)}
:host([floating]) section{box-shadow:var(--nearhand-shadow,0 6px 28px rgb(0 0 0/.28))}
section:not([ready]){opacity:0}
section[ready]{animation:guard .4s,enter .25s ease-out}
div{flex:1 1 22em;max-width:46em}
p{margin:0 0 .4em}
p:last-child{margin:0}
#question{font-weight:600;font-size:1.08em}
div+div{flex:1 1 20em;max-width:27em;display:flex;flex-wrap:wrap;gap:.6em}
button{flex:1 1 9em;min-height:44px;padding:.5em 1em;font:inherit;font-weight:600;cursor:pointer;
background:#0b5f6b;background:var(--nearhand-button,light-dark(#0b5f6b,#8bd3dd));
color:#fff;color:var(--nearhand-button-color,light-dark(#fff,#0b2429));
border:1px solid transparent;border-radius:var(--nearhand-button-radius,8px)}
button:hover{text-decoration:underline}
a{color:inherit}
:focus-visible{outline:3px solid;outline-color:var(--nearhand-color,light-dark(#1b1f23,#eceff1));outline-offset:2px}
section:focus-visible{outline-offset:-4px}
@keyframes guard{from,99%{pointer-events:none}}
@keyframes enter{from{opacity:0;transform:translateY(10px)}}
@media (prefers-reduced-motion:reduce){section[ready]{animation:guard .4s}}
@media print{:host{display:none}}
`
