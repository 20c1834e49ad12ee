"""Tasks with their subtasks, tags, files and relations: tables, wire form, images and writes."""
