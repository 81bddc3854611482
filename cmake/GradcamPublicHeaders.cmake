# The headers that a program of one's own may include, and all that these include. Everything else is
# internal and not installed. tests/embed_test.sh proves that the list is closed.
set(GRADCAM_PUBLIC_HEADERS
  # What is asked for, and what can go wrong
  config/colour.h
  config/engine_table.h
  config/looks.h
  config/named.h
  config/options.h
  config/user_error.h
  # What goes from stage to stage
  stages/frame/blob.h
  stages/frame/box.h
  stages/frame/clock.h
  stages/frame/description.h
  stages/frame/explanation.h
  stages/frame/frame.h
  stages/frame/heat_map.h
  stages/frame/lazy.h
  stages/frame/source_info.h
  stages/frame/stopped.h
  # A picture in its planes
  stages/picture/color.h
  stages/picture/picture.h
  stages/picture/planes.h
  # The stages, each on its own
  stages/capture/source.h
  stages/preprocess/preprocess.h
  stages/explain/engines/engine_trial.h
  stages/explain/explainer.h
  stages/explain/load_explainer.h
  stages/explain/tasks/target_choice.h
  stages/overlay/heat_on_frame.h
  stages/overlay/overlay.h
  stages/output/sink.h
  # The stages together
  pipeline/default_stages.h
  pipeline/graph.h
  pipeline/summary.h)
