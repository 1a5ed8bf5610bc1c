import {WATCH_FILE} from '../../change/paths.ts';
import {SCRIPT_FILE} from '../shell.ts';

/** The tasks and handlers of the role. Those that only look run in check mode, too. */

/** On the controller. */
export const MAKE_TASKS = `- name: Make the script of this host from its policy
  ansible.builtin.command:
    argv: >-
      {{ (fw_wizard_command or ['node', role_path ~ '/files/fw-wizard/cli.js'])
      + ['export', 'shell', '--policy', '/dev/stdin'] }}
    stdin: "{{ fw_wizard_policy | to_json }}"
  register: fw_wizard_made
  delegate_to: localhost
  become: false
  changed_when: false
  check_mode: false
`;

/** Makes the script of a host, compares the host with it, and mends or reports what differs. */
export const MAIN_TASKS = String.raw`- name: Make the script
  ansible.builtin.import_tasks: make.yml

- name: Compare the host with it
  ansible.builtin.include_tasks: compare.yml

- name: Install iptables
  when: fw_wizard_status.error is defined
  block:
    - name: Say that iptables would be installed
      ansible.builtin.debug:
        msg: "{{ fw_wizard_status.error.message }}"
      changed_when: true
      when: fw_wizard_report_only or ansible_check_mode

    - name: Install the package
      ansible.builtin.package:
        name: iptables
        state: present
      when: not (fw_wizard_report_only or ansible_check_mode)

    - name: Compare the host again
      ansible.builtin.include_tasks: compare.yml
      when: not (fw_wizard_report_only or ansible_check_mode)

- name: Refuse to work beside another active firewall
  ansible.builtin.fail:
    msg: >-
      {{ fw_wizard_status.firewalls | join(' and ') }} is active on this host. With fw_wizard_switch_off: true
      the role switches it off, and on again where the new rules are rolled back.
  when:
    - fw_wizard_status.firewalls | default([]) | length > 0
    - not fw_wizard_switch_off
    - not fw_wizard_report_only

- name: Refuse to overlook rules that are evaluated first
  ansible.builtin.fail:
    msg: >-
      Since the rules were confirmed, another program has put rules before them, which may let packets pass:
      {{ fw_wizard_status.foreign | join('; ') }}. Remove them, or accept them on the host with:
      sh ${WATCH_FILE} record
  when:
    - fw_wizard_status.foreign | default([]) | length > 0
    - not fw_wizard_report_only

- name: Report what differs
  ansible.builtin.debug:
    msg: "{{ fw_wizard_status.drift + fw_wizard_status.foreign + fw_wizard_status.firewalls }}"
  changed_when: true
  when:
    - fw_wizard_status.error is not defined
    - not fw_wizard_status.well or fw_wizard_status.firewalls | length > 0
    - fw_wizard_report_only or ansible_check_mode

- name: Write the script
  ansible.builtin.copy:
    content: "{{ fw_wizard_made.stdout }}\n"
    dest: ${SCRIPT_FILE}
    owner: root
    group: root
    mode: "0700"
  check_mode: "{{ fw_wizard_report_only or ansible_check_mode }}"
  vars:
    ansible_no_target_syslog: true

- name: Load the rules
  ansible.builtin.include_tasks: load.yml
  when:
    - not (fw_wizard_report_only or ansible_check_mode)
    - not fw_wizard_status.well or (fw_wizard_status.firewalls | length > 0 and fw_wizard_switch_off)
`;

/** Needs nothing on the host but sh and iptables: the script is not written for that. */
export const COMPARE_TASKS = `- name: Ask the host for its state
  ansible.builtin.command:
    argv: [/bin/sh, -s, status, --json]
    stdin: "{{ fw_wizard_made.stdout }}"
  register: fw_wizard_seen
  changed_when: false
  check_mode: false
  failed_when: >-
    fw_wizard_seen.rc not in [0, 1]
    and 'is not installed' not in (fw_wizard_seen.stdout | from_json).error.message | default('')
  vars:
    ansible_no_target_syslog: true

- name: Tell the state
  ansible.builtin.import_tasks: tell.yml
`;

/** The facts for other tasks, and for dashboards. */
export const TELL_TASKS = `- name: Set the fact of the state
  ansible.builtin.set_fact:
    fw_wizard_status: "{{ fw_wizard_seen.stdout | from_json }}"

- name: Write the state on the controller
  ansible.builtin.copy:
    content: "{{ fw_wizard_status | to_nice_json }}\\n"
    dest: "{{ fw_wizard_status_dir }}/{{ inventory_hostname }}.json"
    mode: "0644"
  delegate_to: localhost
  become: false
  changed_when: false
  check_mode: false
  when: fw_wizard_status_dir | length > 0
`;

/** Rules count as confirmed when a new connection has reached the host. Without one, the host restores the old rules. */
export const LOAD_TASKS = `- name: Load the rules, and confirm them over a new connection
  block:
    - name: Load the rules until they are confirmed
      ansible.builtin.command:
        argv: [/bin/sh, ${SCRIPT_FILE}]
      environment:
        SECONDS_TO_CONFIRM: "{{ fw_wizard_seconds_to_confirm }}"
        SWITCH_OFF: "{{ 'yes' if fw_wizard_switch_off else '' }}"
      changed_when: true
      notify: Verify the firewall

    - name: Close the connection
      ansible.builtin.meta: reset_connection

    - name: Log in again
      ansible.builtin.wait_for_connection:
        timeout: "{{ fw_wizard_seconds_to_log_in }}"

    - name: Confirm the rules
      ansible.builtin.command:
        argv: [/bin/sh, ${SCRIPT_FILE}, keep]
      changed_when: true
  rescue:
    - name: Wait until the old rules are restored
      ansible.builtin.wait_for_connection:
        timeout: "{{ fw_wizard_seconds_to_confirm + 30 }}"

    - name: Restore the old rules now, where they are not yet
      ansible.builtin.command:
        argv: [/bin/sh, ${SCRIPT_FILE}, undo]
      register: fw_wizard_undone
      changed_when: false
      failed_when: fw_wizard_undone.rc not in [0, 1]

    - name: Fail, since the rules were not confirmed
      ansible.builtin.fail:
        msg: >-
          The rules were not confirmed, and the old rules are restored: {{ ansible_failed_task.name }}:
          {{ ansible_failed_result.stderr | default('', true) or ansible_failed_result.msg | default('', true) }}
`;

export const HANDLERS = `- name: Verify the firewall
  ansible.builtin.command:
    argv: [/bin/sh, ${SCRIPT_FILE}, status, --json]
  register: fw_wizard_seen
  changed_when: false

- name: Tell the state of the firewall
  ansible.builtin.include_tasks: tell.yml
  listen: Verify the firewall
`;
