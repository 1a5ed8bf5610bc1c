/**
 * How many seconds a change waits for its confirmation, and between which limits a user may set
 * that.
 */
export const CONFIRM_SECONDS = {usual: 60, least: 10, most: 3600} as const;

/** How to log in over a connection of its own, where ssh(1) would share one (ssh_config(5), ControlPath). */
export const NEW_CONNECTION = 'ssh -o ControlPath=none';
